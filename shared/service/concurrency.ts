/** Runs `work` on each element, at most `limit` at once; results in order. The first error ends it. */
export async function mapConcurrent<T, R>(
  elements: readonly T[],
  limit: number,
  work: (element: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(elements.length);
  let next = 0;
  const lane = async () => {
    while (next < elements.length) {
      const index = next++;
      try {
        results[index] = await work(elements[index]!, index);
      } catch (error) {
        next = elements.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, elements.length) }, lane));
  return results;
}
