import { isJsonObject, type Json, type JsonObject } from '../kernel/index.js';
import { CATALOGUE, contentOf, detailsOf, fieldsOf } from './catalogue.js';

/**
 * What a producer adds of its own is content when its name says so; and all of an event of a type that nobody knows is judged by
 * names alone.
 */
const CONTENT_NAME = /content|prompt|completion|response|message|goal|text|body|input|output|result|answer|transcript|history|diff|patch/i;

/** What is only a measure of a content, or its kind, is none. */
const MEASURE_NAME = /(_|^)(count|counts|length|type|id|ids|tokens|token_count|ms|seconds|status|code|format|mode|role|at)$/i;

/** Whether only this service records the type: then nothing in it is a producer's. */
const isOwn = (type: string): boolean => CATALOGUE.get(type)?.isOwn === true;

const isContent = (type: string, member: string): boolean =>
  contentOf(type).has(member) || (!fieldsOf(type).has(member) && CONTENT_NAME.test(member) && !MEASURE_NAME.test(member));

/** An event's data, with its content apart. */
export interface Split {
  readonly data: Json;
  /** `{data: …}`: the members that are content, or all of it where the data is no object. Null when there is none. */
  readonly content: JsonObject | null;
}

/** Takes the content out of an event's data: prompts, answers and results. Pure. */
export function splitContent(type: string, data: Json): Split {
  if (!isJsonObject(data) || isOwn(type)) return { data, content: null };
  const kept: [string, Json][] = [];
  const apart: [string, Json][] = [];
  for (const member of Object.keys(data)) {
    const value = data[member] ?? null;
    (value !== null && isContent(type, member) ? apart : kept).push([member, value]);
  }
  if (apart.length === 0) return { data, content: null };
  return { data: Object.fromEntries(kept), content: { data: Object.fromEntries(apart) } };
}

/** The data as it was before `splitContent`, given what it had taken out. */
export function withContent(data: Json, content: JsonObject): Json {
  const apart = content['data'] ?? null;
  return isJsonObject(data) && isJsonObject(apart) ? { ...data, ...apart } : apart;
}

/**
 * What is recorded of an event's data where only metadata is: the members that its type names and that are neither content nor
 * details. Of what nobody knows, nothing. Pure.
 */
export function metadataIn(type: string, data: Json): Json {
  if (!isJsonObject(data)) return null;
  const isKept = (member: string): boolean =>
    (isOwn(type) || fieldsOf(type).has(member)) && !contentOf(type).has(member) && !detailsOf(type).has(member);
  return Object.fromEntries(Object.entries(data).filter(([member]) => isKept(member)));
}
