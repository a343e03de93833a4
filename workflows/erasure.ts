import { data } from './support/activities.js';

export interface ErasureInput { readonly v: 1; readonly model: string; readonly id: string }

/** Finds the snapshots that hold an erased row. What is erased was recorded before; later snapshots leave it out whether this has ended or not. */
export async function erasure({ model, id }: ErasureInput): Promise<void> {
  await data.findErased({ model, id });
}
