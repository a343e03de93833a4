import type { GuardrailCounts } from '../../contract/guardrail-counts.js';

/** What guardrails did, in lines of text: a headline, then a line for each guardrail. */
export function guardedLines({ from, to, predictions, guardrails }: GuardrailCounts): string[] {
  return [
    `guardrails, from ${minute(from)} to ${minute(to)}, with ${predictions} predictions answered:`,
    ...guardrails.map(({ guardrail, replaced, flagged, rejected }) => `  ${guardrail}: ${replaced} replaced, ${flagged} flagged, ${rejected} rejected`),
  ];
}

const minute = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;
