/** Runs `write` after each request, one at a time; requests during a run are served by one more run. */
export function createWriter(write: () => Promise<void>, onError: (error: unknown) => void): { request(): void; settled(): Promise<void> } {
  let busy: Promise<void> | undefined;
  let again = false;
  const work = async (): Promise<void> => {
    do {
      again = false;
      await write().catch(onError);
    } while (again);
    busy = undefined;
  };
  return {
    request: () => {
      again = true;
      busy ??= work();
    },
    settled: async () => {
      while (busy !== undefined) await busy;
    },
  };
}
