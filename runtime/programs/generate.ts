import { childMain } from '../child/main.js';
import { generateRows } from '../generate/run.js';

childMain({ program: 'generate', failure: 'definition/threw', teamCode: true, run: generateRows });
