/** Digits of an identifier that may stand in two lines: an EID, a transactionId, a fingerprint. */
const LONG_ID = 32;

/**
 * Where a line may end: after a space; between the parts of a name such as `esbpp.requestBpp` or `Executed-Success`; inside
 * a long identifier half way. Never inside a date, an object identifier, a number or an ICCID.
 */
const BREAKS = /(?<= )|(?<=\p{L}{3}[.-])(?=\p{L})|(?<=[/=,](?=\p{L}))/u;

function pieces(text: string): string[] {
  return text.split(BREAKS).flatMap((piece) => {
    const word = piece.trimEnd();
    if (word.length < LONG_ID || !/^[0-9a-fA-F]+$/.test(word)) return [piece];
    const half = Math.ceil(word.length / 2);
    return [word.slice(0, half), `${word.slice(half)}${piece.slice(word.length)}`];
  });
}

/** The longest piece of a text that stays in one line. */
export const wrapWidth = (text: string): number =>
  Math.max(0, ...pieces(text).map((piece) => piece.trimEnd().length));

/** A text in lines of so many characters; a piece that is longer has a line of its own. */
export function wrapped(text: string, width: number): string[] {
  if (text.length <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const piece of pieces(text)) {
    if (line !== '' && (line + piece.trimEnd()).length > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += piece;
  }
  return [...lines, line.trimEnd()];
}
