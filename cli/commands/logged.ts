import { LoggedView } from '../../contract/logged.js';
import { explanationText } from '../explanation.js';
import { triggerText } from '../guardrail-text.js';
import { plain, type Register } from '../register.js';
import { moment, table } from '../table.js';

export const addLoggedCommand: Register = (add, program) => {
  add<[string, string]>(program, 'logged <model> <id>', 'what the prediction log holds of a prediction, or of all of a request\'s: who asked, what answered, what was refused', plain, async (context, _options, model, id) => {
    const found = await context.api.get(LoggedView, `/models/${encodeURIComponent(model)}/logged/${encodeURIComponent(id)}`);
    context.answer(found, () => loggedText(found));
    return 0;
  });
};

function loggedText({ predictions, refusals }: LoggedView): string {
  const answered = predictions.map(({ at, id, version, role, caller, outputs, latencyMs }) => [moment(at), id, version, role, caller, outputText(outputs), latencyMs.toFixed(1)]);
  const refused = refusals.map(({ at, id, version, role, caller, status, reason, latencyMs }) => [moment(at), id, version, role, caller, `${status}${reason === null ? '' : ` ${reason}`}`, latencyMs.toFixed(1)]);
  const guarded = predictions.flatMap(({ id, guarded: found }) => (found ? [`${id}: ${guardedText(found)}`] : []));
  const explained = predictions.flatMap(({ id, explanation }) => (explanation ? ['', `${id} ${explanationText(explanation)}`] : []));
  return [table(['AT', 'ID', 'VERSION', 'ARM', 'CALLER', 'ANSWER', 'MS'], [...answered, ...refused]), ...guarded, ...explained].join('\n');
}

function guardedText({ triggers, instead }: NonNullable<LoggedView['predictions'][number]['guarded']>): string {
  const own = instead ? outputText(instead.own ?? null) : null;
  return `${triggers.map((trigger) => triggerText(trigger)).join('; ')}${own === null ? '' : `; the model itself said ${own}`}`;
}

/** The class, or the value; of an answer that is not kept nothing. */
function outputText(outputs: Readonly<Record<string, unknown>> | null): string | null {
  const { class: name, value } = outputs ?? {};
  return typeof name === 'string' ? name : typeof value === 'number' ? String(value) : null;
}
