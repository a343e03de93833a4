import { removeOwnHome } from './home.js';

/**
 * Runs on a thread of its own in a child that executes team code: an endless loop there keeps the main thread from noticing
 * that the pipe closed, so this watches the parent's id and ends the whole process group when the parent is gone.
 */
const parent = process.ppid;
const own = process.pid;

setInterval(() => {
  if (process.ppid === parent) return;
  removeOwnHome();
  process.kill(-own, 'SIGKILL');
}, 250);
