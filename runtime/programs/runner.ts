import { childMain } from '../child/main.js';
import { runRunner } from '../runner/run.js';

childMain({ program: 'runner', failure: 'release/load-failed', teamCode: false, run: runRunner });
