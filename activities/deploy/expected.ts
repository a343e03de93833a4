import { z } from 'zod';

/** What the evaluation said of a row: probabilities, or a regression's value. The server has to say the same. */
export const ExpectedAnswer = z.union([z.object({ key: z.string(), probabilities: z.array(z.number()) }), z.object({ key: z.string(), value: z.number() })]);
export type ExpectedAnswer = z.infer<typeof ExpectedAnswer>;

/** The numbers of an answer, in the order in which a server gives them. */
export function numbersOf(answer: { readonly probabilities: readonly number[] } | { readonly value: number }): readonly number[] {
  return 'value' in answer ? [answer.value] : answer.probabilities;
}
