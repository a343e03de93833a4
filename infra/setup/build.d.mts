/** Types of build.mjs for the TypeScript that reads it. */
export declare function compiler(root?: string): { command: string; args: string[]; env: Record<string, string> };
