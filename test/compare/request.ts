import type { Method } from '../wire/etcd-messages.js';
import { encode, type Fields, type FieldValue, type MessageType } from '../wire/protobuf.js';

/** What both sides agree on so far: revisions in requests are meant relative to it. */
export interface View {
  readonly revision: number;
  readonly compacted: number;
}

/** A revision near one that matters. Stays meaningful when requests before it are dropped. */
export class Near {
  constructor(
    readonly base: keyof View,
    readonly offset: number,
  ) {}
}

export type Template = Uint8Array | string | boolean | number | bigint | Near | Templates | readonly Template[];
/** Fields of a message in which revisions may still be open. */
export interface Templates {
  readonly [name: string]: Template | undefined;
}

/** A well-formed call. */
export interface FieldsRequest {
  readonly kind: 'fields';
  readonly method: Method;
  readonly fields: Templates;
  /** Position of the member asked. */
  readonly member: number;
}

/** Bytes as they are: malformed messages, odd encodings, methods that do not exist. */
export interface RawRequest {
  readonly kind: 'raw';
  readonly path: string;
  readonly message: Buffer;
  readonly about: string;
  readonly response: MessageType | null;
  readonly member: number;
}

export type Request = FieldsRequest | RawRequest;

function resolve(template: Template, view: View): FieldValue {
  if (template instanceof Near) return view[template.base] + template.offset;
  if (template instanceof Uint8Array || typeof template !== 'object') return template;
  if (isList(template)) return template.map((one) => resolve(one, view));
  return resolveFields(template, view);
}

// Array.isArray does not narrow readonly arrays.
export const isList = (template: Template): template is readonly Template[] => Array.isArray(template);

export const isMessage = (template: Template | undefined): template is Templates =>
  typeof template === 'object' && !isList(template) && !(template instanceof Uint8Array || template instanceof Near);

export function resolveFields(templates: Templates, view: View): Fields {
  const fields: Record<string, FieldValue> = {};
  for (const [name, template] of Object.entries(templates)) {
    if (template !== undefined) fields[name] = resolve(template, view);
  }
  return fields;
}

/** The message of `request` as it goes out when both sides are at `view`. */
export function messageOf(request: Request, view: View): Buffer {
  return request.kind === 'raw' ? request.message : encode(request.method.request, resolveFields(request.fields, view));
}

export const pathOf = (request: Request) => (request.kind === 'raw' ? request.path : request.method.path);
export const responseOf = (request: Request) => (request.kind === 'raw' ? request.response : request.method.response);
