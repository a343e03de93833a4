/** Types of example-tables.mjs for the TypeScript that reads it. */
export declare function exampleTablesFolder(root?: string): string;
