import { createRequire } from 'node:module';
import type { Graph, GraphNode } from './graph.js';
import { DATA_TYPES } from './record.js';
import type { Attribute } from './record.js';

/** Those of TensorFlow's messages that a SavedModel is made of, as tfjs-node brings them along to read one: what protoc makes of them for JavaScript. */
interface Messages {
  SavedModel: new () => Message & { setSavedModelSchemaVersion(version: number): void; setMetaGraphsList(list: readonly Message[]): void };
  MetaGraphDef: (new () => Message & { setMetaInfoDef(info: Message): void; setGraphDef(graph: Message): void; getSignatureDefMap(): Map<string, Message> }) & { MetaInfoDef: new () => Message & { setTagsList(tags: readonly string[]): void } };
  GraphDef: new () => Message & { setNodeList(nodes: readonly Message[]): void; setVersions(versions: Message): void };
  VersionDef: new () => Message & { setProducer(version: number): void };
  NodeDef: new () => Message & { setName(name: string): void; setOp(op: string): void; setInputList(inputs: readonly string[]): void; getAttrMap(): Map<string, Message> };
  AttrValue: (new () => AttrValue) & { ListValue: new () => Message & { setIList(list: readonly number[]): void; setFList(list: readonly number[]): void; setBList(list: readonly boolean[]): void } };
  Tensor: new () => Message & { setDtype(type: number): void; setTensorShape(shape: Message): void; setTensorContent(bytes: Uint8Array): void };
  TensorShape: (new () => Message & { setDimList(dims: readonly Message[]): void }) & { Dim: new () => Message & { setSize(size: number): void } };
  SignatureDef: new () => Message & { getInputsMap(): Map<string, Message>; getOutputsMap(): Map<string, Message>; setMethodName(name: string): void };
  TensorInfo: new () => Message & { setName(name: string): void; setDtype(type: number): void; setTensorShape(shape: Message): void };
}
interface Message { serializeBinary(): Uint8Array }
interface AttrValue extends Message { setS(bytes: Uint8Array): void; setI(value: number): void; setF(value: number): void; setB(value: boolean): void; setType(type: number): void; setShape(shape: Message): void; setTensor(tensor: Message): void; setList(list: Message): void }

/** `TF_GRAPH_DEF_VERSION` of TensorFlow 2.9, the oldest that tfjs-node 4.22 is built on. */
const GRAPH_VERSION = 1087;
/** As TensorFlow Serving expects them. */
const TAG = 'serve';
const SIGNATURE = 'serving_default';

/** The bytes of `saved_model.pb` that holds this graph. */
export function savedModelOf(graph: Graph): Uint8Array {
  const messages = loadMessages();
  const made = <M extends Message>(kind: new () => M, fill: (message: M) => void): M => {
    const message = new kind();
    fill(message);
    return message;
  };
  const shapeOf = (sizes: readonly number[]) => made(messages.TensorShape, (shape) => { shape.setDimList(sizes.map((size) => made(messages.TensorShape.Dim, (dim) => { dim.setSize(size); }))); });
  const tensorInfo = (name: string, sizes: readonly number[]) => made(messages.TensorInfo, (info) => {
    info.setName(name.includes(':') ? name : `${name}:0`);
    info.setDtype(DATA_TYPES.float32);
    info.setTensorShape(shapeOf(sizes));
  });
  const valueOf = ({ kind, value }: Attribute) => made(messages.AttrValue, (message) => {
    const list = (fill: (message: InstanceType<Messages['AttrValue']['ListValue']>) => void) => { message.setList(made(messages.AttrValue.ListValue, fill)); };
    switch (kind) {
      case 'string': message.setS(new TextEncoder().encode(String(value))); break;
      case 'int': if (Array.isArray(value)) list((one) => { one.setIList(value as number[]); }); else message.setI(value as number); break;
      case 'float': if (Array.isArray(value)) list((one) => { one.setFList(value as number[]); }); else message.setF(value as number); break;
      case 'bool': if (Array.isArray(value)) list((one) => { one.setBList(value as boolean[]); }); else message.setB(value as boolean); break;
      case 'type': message.setType(value as number); break;
      case 'shape': message.setShape(shapeOf(value as number[])); break;
    }
  });
  const nodeOf = ({ name, op, inputs, attributes, constant }: GraphNode) => made(messages.NodeDef, (node) => {
    node.setName(name);
    node.setOp(op);
    node.setInputList(inputs);
    for (const attribute of attributes) node.getAttrMap().set(attribute.name, valueOf(attribute));
    if (!constant) return;
    const tensor = made(messages.Tensor, (message) => {
      message.setDtype(constant.type);
      message.setTensorShape(shapeOf(constant.shape));
      message.setTensorContent(constant.bytes);
    });
    node.getAttrMap().set('value', made(messages.AttrValue, (message) => { message.setTensor(tensor); }));
  });
  const definition = made(messages.GraphDef, (message) => {
    message.setNodeList(graph.nodes.map(nodeOf));
    message.setVersions(made(messages.VersionDef, (versions) => { versions.setProducer(GRAPH_VERSION); }));
  });
  const metaGraph = made(messages.MetaGraphDef, (message) => {
    message.setMetaInfoDef(made(messages.MetaGraphDef.MetaInfoDef, (info) => { info.setTagsList([TAG]); }));
    message.setGraphDef(definition);
    message.getSignatureDefMap().set(SIGNATURE, made(messages.SignatureDef, (signature) => {
      signature.getInputsMap().set('inputs', tensorInfo(graph.input, graph.inputShape));
      signature.getOutputsMap().set('outputs', tensorInfo(graph.output, graph.outputShape));
      signature.setMethodName('tensorflow/serving/predict');
    }));
  });
  return made(messages.SavedModel, (message) => {
    message.setSavedModelSchemaVersion(1);
    message.setMetaGraphsList([metaGraph]);
  }).serializeBinary();
}

/** From the module that loads TensorFlow, see `loadTensorFlow`: it has them in memory already. */
function loadMessages(): Messages {
  return createRequire(process.env['PERENNIAL_TFJS_NODE'] ?? '')('@tensorflow/tfjs-node/dist/proto/api_pb.js') as Messages;
}
