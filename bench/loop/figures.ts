import { RUN_STEPS, type RunStep } from '../../contract/run.js';
import type { Figure } from '../benchmark.js';
import { median } from '../report.js';
import type { Stage } from './stages.js';
import type { Turn } from './turn.js';

export interface LoopMeasured { readonly turns: readonly Turn[]; /** Of each turn. */ readonly stages: readonly (readonly Stage[])[]; readonly rollbacks: readonly number[] }

export function loopFigures({ turns, stages, rollbacks }: LoopMeasured): Figure[] {
  return [
    inSeconds('commitToTrainingSeconds', 'hook accepted → first batch trains', turns.map((turn) => turn.firstBatch - turn.hookAccepted), 3),
    inSeconds('commitToFullTrainingSeconds', 'hook accepted → first batch after the quick pass', turns.map((turn) => turn.firstFullBatch - turn.hookAccepted)),
    inSeconds('decisionToLiveSeconds', 'decision sent → production answers with it', turns.map((turn) => turn.live - turn.decided), 3),
    inSeconds('rollbackSeconds', 'rollback asked → the version before answers', rollbacks, 2),
    { name: 'addedPerStageMs', title: 'added per stage, mean of a run', unit: 'ms', ...typical(stages.map((ofRun) => sum(ofRun) / ofRun.length)) },
    { name: 'addedPerRunMs', title: 'added in a run, all stages', unit: 'ms', ...typical(stages.map(sum)) },
    ...RUN_STEPS.flatMap((step) => ofStep(step, stages)),
  ];
}

function ofStep(step: RunStep, stages: LoopMeasured['stages']): Figure[] {
  const found = stages.flat().filter((stage) => stage.step === step);
  if (found.length === 0) return [];
  const work = median(found.map(({ workMs }) => workMs));
  return [{ name: `${camelCase(step)}AddedMs`, title: `  ${step}: added to ${work.toFixed(0)} ms of work`, unit: 'ms', ...typical(found.map(added)) }];
}

const added = ({ totalMs, workMs }: Stage) => totalMs - workMs;
const sum = (stages: readonly Stage[]) => stages.reduce((total, stage) => total + added(stage), 0);
const typical = (values: readonly number[]) => ({ value: median(values), worst: Math.max(...values) });
const camelCase = (step: string) => step.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

function inSeconds(name: string, title: string, ms: readonly number[], goal?: number): Figure {
  return { name, title, unit: 's', ...typical(ms.map((one) => one / 1_000)), ...(goal === undefined ? {} : { goal }) };
}
