import { childMain } from '../child/main.js';
import { runEvaluation } from '../evaluate/run.js';

childMain({ program: 'evaluate', failure: 'training/crashed', teamCode: true, run: runEvaluation });
