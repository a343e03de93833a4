/** Maps with up to `width` calls under way, and yields in the order of the items: reports come out the same every time. */
export async function* mapInOrder<T, R>(items: Iterable<T> | AsyncIterable<T>, width: number, map: (item: T) => Promise<R>): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  for await (const item of items) {
    const result = map(item);
    // Awaited below; until then a rejection must not count as unhandled.
    result.catch(() => undefined);
    underWay.push(result);
    if (underWay.length >= width) yield await (underWay.shift() as Promise<R>);
  }
  for (const result of underWay) yield await result;
}
