/** Runs `change` on what is text in Markdown: code spans and fenced blocks stay as they are. */
function outsideCode(markdown: string, change: (text: string) => string): string {
  let fence: string | undefined;
  return markdown
    .split('\n')
    .map((line) => {
      const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
      if (fence !== undefined) {
        if (mark?.startsWith(fence)) fence = undefined;
        return line;
      }
      if (mark !== undefined) {
        fence = mark;
        return line;
      }
      return line
        .split(/(`+[^`]+`+)/)
        .map((part, i) => (i % 2 === 0 ? change(part) : part))
        .join('');
    })
    .join('\n');
}

/** The targets of links within the repository, mapped; what follows # stays. */
export function mappedLinks(markdown: string, map: (target: string) => string): string {
  return outsideCode(markdown, (text) =>
    text.replace(/\]\(([^)\s]+)\)/g, (whole, link: string) => {
      if (/^(?:[a-z]+:|#)/.test(link)) return whole;
      const [target, anchor] = link.split('#');
      return `](${map(target!)}${anchor === undefined ? '' : `#${anchor}`})`;
    }),
  );
}

/** VitePress takes Markdown for templates of Vue: what would be one, or HTML, is text of ours. `<br>` and links stay. */
export function escaped(markdown: string): string {
  return outsideCode(markdown, (text) =>
    // an indented block is code too
    text.startsWith('    ')
      ? text
      : text.replace(/<(?!br>|https?:)/g, '&lt;').replaceAll('{{', '&#123;&#123;'),
  );
}

/** The anchor of a heading as GitHub makes it, where the same documents are read. */
export const slug = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Mark}\p{Number}\p{Connector_Punctuation}\- ]/gu, '')
    .replaceAll(' ', '-');
