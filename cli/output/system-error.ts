import { EXIT, type ExitCode } from './exit-codes.ts';

interface Reason {
  readonly what: string;
  readonly wayOut: string;
  readonly exitCode: ExitCode;
}

const person = (what: string, wayOut: string): Reason => ({ what, wayOut, exitCode: EXIT.usage });
const machine = (what: string, wayOut: string): Reason => ({ what, wayOut, exitCode: EXIT.fault });

const ANOTHER_PLACE = 'Name another place, or remove what is there.';

/** What the operating system refuses (errno), which is a person's mistake or the machine's state, and none of ours. */
const REASONS: Readonly<Record<string, Reason>> = {
  ENOENT: person('no such file or folder', 'Check the path.'),
  EACCES: person('permission denied', 'Check who owns it and its permissions, or name another place.'),
  EPERM: person('it is not permitted', 'Check who owns it and its permissions, or name another place.'),
  EISDIR: person('it is a folder', 'Name a file.'),
  ENOTDIR: person('a part of the path is no folder', ANOTHER_PLACE),
  EEXIST: person('it is there already', ANOTHER_PLACE),
  ENOTEMPTY: person('the folder is not empty', ANOTHER_PLACE),
  ENAMETOOLONG: person('the name is too long', 'Choose a shorter one.'),
  EADDRINUSE: person('the port is in use', 'Stop what has it (smdpf stop), or name another port.'),
  EADDRNOTAVAIL: person('no address of this machine', 'Name an address that this machine has.'),
  ENOTFOUND: person('no such host', 'Correct the name of the host.'),
  ECONNREFUSED: machine('nothing listens there', 'Check host and port, and that the server runs.'),
  ECONNRESET: machine('the connection was cut off', 'Try again; the log of the other side may say why.'),
  ETIMEDOUT: machine('no answer in time', 'Check that the network reaches it, and try again.'),
  EHOSTUNREACH: machine('there is no way to it in the network', 'Check host and network.'),
  ENETUNREACH: machine('there is no way to it in the network', 'Check host and network.'),
  EAI_AGAIN: machine('the name server does not answer', 'Check the network, and try again.'),
  EPIPE: machine('the other side has gone', 'Try again; the log of the other side may say why.'),
  EIO: machine('the device cannot be read or written', 'Check the disk, and run it again.'),
  EDQUOT: machine(
    'the quota of the disk is used up',
    'Make room and run it again: it goes on where it stopped.',
  ),
  EFBIG: machine('the file is larger than the file system takes', 'Name a place in another file system.'),
  ENOSPC: machine('the disk is full', 'Make room and run it again: it goes on where it stopped.'),
  EROFS: machine('the file system takes no writing', 'Name a place that can be written to.'),
  EMFILE: machine('too many open files', 'Raise the limit of open files (ulimit -n).'),
};

/** An error of the operating system in words; undefined where it is none that is known. */
export function systemError(error: unknown): (Reason & { readonly message: string }) | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const reason = typeof code === 'string' && Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  if (reason === undefined) return undefined;
  const where = path ?? (address === undefined ? undefined : `${address}:${port ?? ''}`);
  return { ...reason, message: where === undefined ? reason.what : `${where}: ${reason.what}` };
}
