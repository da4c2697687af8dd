/** What is compiled for a machine is not there in a browser. */
export const createRequire = () => (name: string) => {
  throw new Error(`${name} is not there in a browser`);
};
