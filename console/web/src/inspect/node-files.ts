/** `node:path` and `node:fs/promises`, of which a browser has nothing: no describer of an artefact opens a file. */
const unavailable = () => {
  throw new Error('there are no files in a browser');
};

export const dirname = unavailable;
export const join = unavailable;
export const resolve = unavailable;
export const link = unavailable;
export const lstat = unavailable;
export const mkdir = unavailable;
export const open = unavailable;
export const readFile = unavailable;
export const rename = unavailable;
export const rm = unavailable;
export const stat = unavailable;
export const unlink = unavailable;
export const writeFile = unavailable;
