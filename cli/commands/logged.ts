import { LoggedView } from '../../contract/logged.js';
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
  return table(['AT', 'ID', 'VERSION', 'ARM', 'CALLER', 'ANSWER', 'MS'], [...answered, ...refused]);
}

/** The class, or the value; of an answer that is not kept nothing. */
function outputText(outputs: LoggedView['predictions'][number]['outputs']): string | null {
  const { class: name, value } = outputs ?? {};
  return typeof name === 'string' ? name : typeof value === 'number' ? String(value) : null;
}
