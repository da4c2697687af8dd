/** What `find` comes to the first time, and from then on; found when first asked for. */
export function once<T>(find: () => T): () => T {
  let found: { readonly is: T } | undefined;
  return () => {
    found ??= { is: find() };
    return found.is;
  };
}
