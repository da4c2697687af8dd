/**
 * A log whose lines of one turn of the event loop are written at once: to write takes longer than most of what a line tells
 * of. What is left when the process ends is written then.
 */
export function logLines(say: (lines: string) => void): (line: string) => void {
  let waiting: string[] = [];
  const flush = () => {
    process.off('exit', flush);
    const lines = waiting;
    waiting = [];
    if (lines.length > 0) say(lines.join('\n'));
  };
  return (line) => {
    if (waiting.length === 0) {
      setImmediate(flush);
      process.on('exit', flush);
    }
    waiting.push(line);
  };
}
