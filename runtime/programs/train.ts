import { childMain } from '../child/main.js';
import { runTraining } from '../train/run.js';

childMain({ program: 'train', failure: 'training/crashed', teamCode: true, run: runTraining });
