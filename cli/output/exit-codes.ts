/** Exit codes of every command; `smdpf --help` shows them. */
export const EXIT = {
  ok: 0,
  /** What was given is refused, or the answer is no: a signature that does not hold, an item that failed. */
  refused: 1,
  /** The command line or a file, key or configuration it names is wrong. */
  usage: 2,
  /** Something of ours failed. */
  fault: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODE_HELP = `
Exit codes:
  0  done
  1  refused, or the answer is no (a signature that does not hold, an item that failed)
  2  the command line, or a file, key or configuration that it names, is wrong
  3  a fault of the program or of a service it uses (SMDPF_DEBUG=1 shows the stack)`;
