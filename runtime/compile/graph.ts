import { isDeepStrictEqual } from 'node:util';
import { DATA_TYPES, NotCompilable } from './record.js';
import type { Attribute, Constant, Operation, Recording, Source } from './record.js';

/** A node of a graph: an operation on other nodes, named `node` or `node:output`; or a constant, or where the input goes in. */
export interface GraphNode { readonly name: string; readonly op: string; readonly inputs: readonly string[]; readonly attributes: readonly Attribute[]; readonly constant?: Constant }
/** `inputShape`, `outputShape`: of a batch of any size, which is -1. */
export interface Graph { readonly nodes: readonly GraphNode[]; readonly input: string; readonly output: string; readonly inputShape: readonly number[]; readonly outputShape: readonly number[] }

const INPUT = 'input';
const ANY = -1;

/**
 * The graph of a network from what TensorFlow was asked to do for two batches of different sizes and values. Throws NotCompilable where the two differ in
 * more than the number of rows that a tensor is given: then something depends on the batch in a way that a graph would not know.
 */
export function graphOf(first: Recording, second: Recording, inputShape: readonly number[]): Graph {
  if (first.operations.length !== second.operations.length) throw new NotCompilable('another batch takes other operations');
  const nodes: GraphNode[] = [{ name: INPUT, op: 'Placeholder', inputs: [], attributes: [{ name: 'dtype', kind: 'type', value: DATA_TYPES.float32 }, { name: 'shape', kind: 'shape', value: [ANY, ...inputShape.slice(1)] }] }];
  const constants = new Map<Constant, string>();
  const nameOfConstant = (constant: Constant): string => {
    const known = constants.get(constant);
    if (known !== undefined) return known;
    const name = `constant_${constants.size}`;
    constants.set(constant, name);
    nodes.push({ name, op: 'Const', inputs: [], attributes: [{ name: 'dtype', kind: 'type', value: constant.type }], constant });
    return name;
  };
  const nameOf = (source: Source): string => {
    switch (source.of) {
      case 'input': return INPUT;
      case 'constant': return nameOfConstant(source.constant);
      case 'operation': return source.output === 0 ? nameOfOperation(source.index) : `${nameOfOperation(source.index)}:${source.output}`;
    }
  };
  for (const [index, operation] of first.operations.entries()) {
    const other = second.operations[index];
    if (!other || other.op !== operation.op || !isDeepStrictEqual(other.attributes, operation.attributes)) throw new NotCompilable(`another batch takes other operations than ${operation.op}`);
    const { op, attributes, inputs } = simplified({ ...operation, inputs: operation.inputs.map((source, place) => common(operation.op, place, source, other.inputs[place])) });
    nodes.push({ name: nameOfOperation(index), op, attributes, inputs: inputs.map(nameOf) });
  }
  if (first.output.of !== 'operation' || !isSamePlace(first.output, second.output)) throw new NotCompilable('the output does not come from an operation');
  return { nodes, input: INPUT, output: nameOf(first.output), inputShape: [ANY, ...inputShape.slice(1)], outputShape: [ANY, ...first.output.shape.slice(1)] };
}

const nameOfOperation = (index: number): string => `operation_${index}`;

/** What goes into an operation whatever the batch. */
function common(op: string, place: number, one: Source, other: Source | undefined): Source {
  if (!other || one.of !== other.of) throw new NotCompilable(`another batch gives ${op} something else`);
  if (one.of !== 'constant' || other.of !== 'constant') {
    if (!isSamePlace(one, other)) throw new NotCompilable(`another batch gives ${op} something else`);
    return one;
  }
  if (isSameConstant(one.constant, other.constant)) return one;
  if (op === 'Reshape' && place === 1) return { ...one, constant: anyRows(one.constant, other.constant) };
  throw new NotCompilable(`${op} takes a constant that depends on the batch`);
}

/** A shape in which one size differs, which is then whatever is left. */
function anyRows(one: Constant, other: Constant): Constant {
  const [sizes, others] = [one, other].map(({ type, bytes }) => (type === DATA_TYPES.int32 ? [...new Int32Array(bytes.buffer)] : []));
  const differing = (sizes ?? []).flatMap((size, index) => (size === others?.[index] ? [] : [index]));
  if (!sizes || sizes.length !== others?.length || differing.length !== 1) throw new NotCompilable('Reshape takes a shape that depends on the batch in more than one size');
  return { ...one, bytes: new Uint8Array(Int32Array.from(sizes, (size, index) => (index === differing[0] ? ANY : size)).buffer) };
}

function isSamePlace(one: Source, other: Source): boolean {
  return one.of === 'operation' && other.of === 'operation' ? one.index === other.index && one.output === other.output : one.of === other.of;
}

function isSameConstant(one: Constant, other: Constant): boolean {
  return one === other || (one.type === other.type && one.shape.join() === other.shape.join() && Buffer.from(one.bytes.buffer).equals(Buffer.from(other.bytes.buffer)));
}

/**
 * tfjs-node asks for general operations where TensorFlow has special ones, which it joins with what comes before and after them: a bias is
 * added as any two tensors are, and matrices are multiplied as batches of matrices.
 */
function simplified(operation: Operation): Operation {
  const { op, attributes, inputs: [left, right] } = operation;
  const attribute = (name: string) => attributes.find((one) => one.name === name);
  if (!left || !right) return operation;
  if (op === 'Add' && right.of === 'constant' && right.shape.length === 1 && left.shape.length > 1 && left.shape.at(-1) === right.shape[0]) {
    return { ...operation, op: 'BiasAdd', attributes: [...attributes, { name: 'data_format', kind: 'string', value: 'NHWC' }] };
  }
  const type = attribute('T');
  const [adjX, adjY] = [attribute('adj_x'), attribute('adj_y')];
  if (op === 'BatchMatMulV2' && type && adjX && adjY && left.shape.length === 2 && right.shape.length === 2) {
    return { ...operation, op: 'MatMul', attributes: [type, { ...adjX, name: 'transpose_a' }, { ...adjY, name: 'transpose_b' }] };
  }
  return operation;
}
