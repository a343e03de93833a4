import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';

/** A picture on its way to the model: raw uint8 pixels and what they really show. */
export interface CameraPicture { readonly name: string; readonly label: string; readonly pixels: Uint8Array }
export interface Answered { readonly name: string; readonly label: string; readonly predicted: string; readonly ms: number }

const Answer = z.object({
  model_version: z.string().optional(),
  outputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()), data: z.array(z.unknown()) })),
});
const CONNECTIONS = 16;
const LABELS_A_REQUEST = 10_000;

/** Cameras that ask a prediction server over the Open Inference Protocol, and the people who say later what was on the pictures. */
export function createCameras({ url, token, model }: { url: string; token: string; model: string }) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const call = (method: string, path: string, body?: string) => new Promise<{ status: number; text: string }>((resolve, reject) => {
    const sent = request(`${url}${path}`, { agent, method, headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }) } }, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') })).on('error', reject);
    });
    sent.on('error', reject).end(body);
  });

  const ask = async (picture: CameraPicture, attributes: Record<string, string>): Promise<Answered> => {
    const began = performance.now();
    const body = JSON.stringify({ id: picture.name, parameters: attributes, inputs: [{ name: 'image', shape: [1, 32, 32, 3], datatype: 'UINT8', data: [...picture.pixels] }] });
    const { status, text } = await call('POST', `/v2/models/${model}/infer`, body);
    if (status !== 200) throw new Error(`the server answered ${status} to ${picture.name}: ${text.slice(0, 300)}`);
    const predicted = Answer.parse(JSON.parse(text)).outputs.find((output) => output.name === 'class')?.data[0];
    if (typeof predicted !== 'string') throw new Error(`the answer to ${picture.name} names no class: ${text.slice(0, 300)}`);
    return { name: picture.name, label: picture.label, predicted, ms: performance.now() - began };
  };

  return {
    /** Sends every picture, a few at a time; throws on the first that is not answered. */
    async send(pictures: readonly CameraPicture[], attributes: Record<string, string>, onProgress: (done: number) => void = () => undefined): Promise<Answered[]> {
      const answers: Answered[] = [];
      let next = 0;
      await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
        for (let index = next++; index < pictures.length; index = next++) {
          const picture = pictures[index];
          if (picture) answers.push(await ask(picture, attributes));
          if (answers.length % 100 === 0) onProgress(answers.length);
        }
      }));
      onProgress(answers.length);
      return answers;
    },
    /** Says what was on the pictures. All labels of a call count at once. */
    async label(pictures: readonly CameraPicture[]): Promise<void> {
      for (let from = 0; from < pictures.length; from += LABELS_A_REQUEST) {
        const labels = pictures.slice(from, from + LABELS_A_REQUEST).map(({ name, label }) => ({ request: name, label, model }));
        const { status, text } = await call('POST', '/v1/labels', JSON.stringify({ labels }));
        if (status !== 200) throw new Error(`the labels were not taken (${status}): ${text.slice(0, 300)}`);
      }
    },
    close: () => { agent.destroy(); },
  };
}
export type Cameras = ReturnType<typeof createCameras>;

export function accuracyOf(answers: readonly Answered[]): number {
  return answers.filter(({ label, predicted }) => label === predicted).length / answers.length;
}
