import { z } from 'zod';

/** How a picture of another size is brought to the model's. */
export const ResizeMethod = z.enum(['bilinear', 'nearest']);
export type ResizeMethod = z.infer<typeof ResizeMethod>;
