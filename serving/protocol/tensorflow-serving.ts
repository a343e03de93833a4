import { z } from 'zod';
import type { Signature } from '../../contract/package.js';
import { ServingError } from '../errors.js';
import { inputsOfColumns, inputsOfRows, NamedRow } from './named-rows.js';
import { describeIssues, InferenceRequest, type ReadRequest } from './request.js';
import { RowAttributions, rowAttributions } from '../explain/answer.js';
import { answerParameters, AnswerParameters, type Answered } from './response.js';

/** The one signature that a model has here. */
export const SERVING_DEFAULT = 'serving_default';

/** Beyond, what is wrong with each of millions would be described, which takes seconds. Servers take fewer rows than that at once. */
const MOST_EXAMPLES = 65_536;

/** What a request may say beyond TensorFlow Serving's: the same `id` and `parameters` as in the Open Inference Protocol. */
const common = {
  signature_name: z.string().optional().describe(`${SERVING_DEFAULT}, the only one`),
  id: InferenceRequest.shape.id, parameters: InferenceRequest.shape.parameters,
};
const PredictBody = z.looseObject({
  ...common,
  instances: z.array(z.unknown()).min(1).optional().describe('rows: objects of raw values by name; or values, where the model has one input'),
  inputs: z.union([NamedRow, z.array(z.unknown()).min(1)]).optional().describe('columns: arrays by name; or one array, where the model has one input'),
}).refine(({ instances, inputs }) => (instances === undefined) !== (inputs === undefined), 'give `instances` or `inputs`, one of them').meta({ oneOf: [{ required: ['instances'] }, { required: ['inputs'] }] });
const ExamplesBody = z.looseObject({ ...common, context: NamedRow.optional().describe('values that all examples have in common'), examples: z.array(NamedRow).min(1).max(MOST_EXAMPLES) });

/** Ours; who knows TensorFlow Serving only does not look at it. */
const extra = { id: z.string(), parameters: AnswerParameters, explanations: z.array(RowAttributions).optional().describe('a row after another, where it was asked for by the parameter `explain`') };
const Value = z.union([z.number(), z.string(), z.array(z.number())]);
const PredictAnswer = z.object({
  predictions: z.array(z.union([z.number(), z.record(z.string(), Value)])).optional().describe('a row after another, to `instances`; by output where the model has several'),
  outputs: z.union([z.array(Value), z.record(z.string(), z.array(Value))]).optional().describe('to `inputs`'),
  ...extra,
});

/** A request as it was sent, and how it is answered. */
export interface Call {
  /** 422 where the model cannot give what is asked. */
  readonly toRequest: ReadRequest;
  readonly answer: (answered: Answered, signature: Signature) => z.infer<typeof PredictAnswer> | { result: unknown[] };
}

/** TensorFlow Serving's methods: the schemas of their bodies and answers, and the reading of a body (400 where it is none). */
export const METHODS = {
  predict: {
    summary: 'a prediction, for rows or for columns', body: PredictBody, response: PredictAnswer,
    read(body: unknown): Call {
      const asked = parse('predict', PredictBody, body);
      return {
        toRequest: (signature, maximumRows) => ({ ...sharedOf(asked), inputs: asked.instances ? inputsOfRows(asked.instances, signature, maximumRows) : inputsOfColumns(asked.inputs, signature) }),
        answer: (answered, signature) => ({ ...(asked.instances ? { predictions: predictionsOf(answered) } : { outputs: outputsOf(answered) }), ...extraOf(answered, signature) }),
      };
    },
  },
  classify: {
    summary: 'the probability of each class', body: ExamplesBody, response: z.object({ result: z.array(z.array(z.tuple([z.string(), z.number()]))), ...extra }),
    read(body: unknown): Call {
      const asked = parse('classify', ExamplesBody, body);
      return {
        toRequest(signature, maximumRows) {
          if (signature.task === 'regression') throw new ServingError(422, 'The model gives a number, not classes: ask :regress or :predict.');
          return { ...sharedOf(asked), inputs: examplesOf(asked, signature, maximumRows) };
        },
        answer(answered, signature) {
          const classes = signature.task === 'regression' ? [] : signature.classes;
          return { result: answered.answers.map((answer) => ('value' in answer ? [] : answer.probabilities.map((score, at) => [classes[at] ?? '', score]))), ...extraOf(answered, signature) };
        },
      };
    },
  },
  regress: {
    summary: 'the value of a regression', body: ExamplesBody, response: z.object({ result: z.array(z.number()), ...extra }),
    read(body: unknown): Call {
      const asked = parse('regress', ExamplesBody, body);
      return {
        toRequest(signature, maximumRows) {
          if (signature.task !== 'regression') throw new ServingError(422, 'The model gives classes, not a number: ask :classify or :predict.');
          return { ...sharedOf(asked), inputs: examplesOf(asked, signature, maximumRows) };
        },
        answer: (answered, signature) => ({ result: valuesOf(answered), ...extraOf(answered, signature) }),
      };
    },
  },
} as const;
export type Method = keyof typeof METHODS;
export const isMethod = (name: string): name is Method => Object.hasOwn(METHODS, name);

function parse<T extends z.ZodType<{ signature_name?: string | undefined }>>(method: Method, schema: T, body: unknown): z.infer<T> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new ServingError(400, `The body is not a request of :${method}: ${describeIssues(parsed.error)}`);
  const { signature_name: name = SERVING_DEFAULT } = parsed.data;
  if (name !== '' && name !== SERVING_DEFAULT) throw new ServingError(422, `There is no signature "${name.slice(0, 80)}"; the model has ${SERVING_DEFAULT}.`);
  return parsed.data;
}

const sharedOf = ({ id, parameters }: Pick<InferenceRequest, 'id' | 'parameters'>) => ({ ...(id === undefined ? {} : { id }), ...(parameters ? { parameters } : {}) });
const examplesOf = ({ context, examples }: z.infer<typeof ExamplesBody>, signature: Signature, maximumRows: number) => inputsOfRows(examples.map((example) => ({ ...context, ...example })), signature, maximumRows);
const extraOf = (answered: Answered, signature: Signature) => ({ id: answered.id, parameters: answerParameters(answered, signature), ...(answered.explanation ? { explanations: rowAttributions(answered.explanation, signature) } : {}) });

const valuesOf = ({ answers }: Answered): number[] => answers.flatMap((answer) => ('value' in answer ? [answer.value] : []));

/** A model with one output gives its values alone. */
const predictionsOf = ({ answers }: Answered) => answers.map((answer) => ('value' in answer ? answer.value : { ...answer }));

function outputsOf(answered: Answered): z.infer<typeof PredictAnswer>['outputs'] {
  const classes = answered.answers.flatMap((answer) => ('value' in answer ? [] : [answer]));
  return classes.length === 0 ? valuesOf(answered) : { probabilities: classes.map(({ probabilities }) => probabilities), class: classes.map((answer) => answer.class) };
}
