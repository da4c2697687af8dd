/**
 * `JSON.parse` gives `any`, which a variable, a parameter or a return type turns into whatever it says. Here it gives
 * `unknown`: what was read has to be decoded before anything is taken from it.
 */
interface JSON {
  parse(text: string, reviver?: (this: unknown, key: string, value: unknown) => unknown): unknown;
}
