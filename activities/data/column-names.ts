/** Name of the i-th input column while the rows are worked on: whatever the definition calls it. */
export const columnOf = (index: number) => `c${index}`;
