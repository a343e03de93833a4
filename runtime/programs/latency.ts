import { childMain } from '../child/main.js';
import { runLatency } from '../evaluate/run-latency.js';

childMain({ program: 'latency', failure: 'training/crashed', teamCode: true, run: runLatency });
