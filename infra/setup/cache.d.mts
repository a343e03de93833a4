/** Types of cache.mjs for the TypeScript that reads it. */
export declare function cacheRoot(env?: NodeJS.ProcessEnv): string;
export declare function manifestPath(root?: string): string;
export declare function pinsDigest(name?: string): string;
