/** The bytes of what lies at an address. */
export async function readWeights(from: string | URL): Promise<Uint8Array> {
  const response = await fetch(from);
  if (!response.ok) throw new Error(`the weights at ${String(from)} cannot be read: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
