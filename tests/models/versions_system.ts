/**
 * Clients on one world. A driver decides who runs the next step, and what fails.
 * @module
 */

import { beginWorld } from "./versions_beginning.ts";
import { type Client, type Fault, type Late, messagesOf } from "./versions_clients.ts";
import type { Call } from "./versions_history.ts";
import { findLost, lockedVersions } from "./versions_locks.ts";
import { type Operation, start } from "./versions_operations.ts";
import type { Scenario } from "./versions_scenarios.ts";
import type { AnyRule } from "./versions_rules.ts";
import type { Gateway } from "./versions_steps.ts";
import type { Answer, Content, Publish, Request, World } from "./versions_world.ts";

/** Steps after which operations are taken to run forever. */
const MAX_STEPS = 600;
const UNANSWERED: Answer = { status: "unanswered", sequence: 0 };

/** Clients, their messages that are still on the way, and the checks of each step. */
export class System {
  readonly world: World;
  readonly clients: readonly Client[];
  readonly late: Late[] = [];
  readonly calls: Call[] = [];
  violation: string | undefined;
  #clock = 0;
  readonly gateway: Gateway;
  readonly scenario: Scenario;
  readonly #written = new Map<number, number>();
  readonly #hasNative: boolean;
  #locked: readonly Content[] = [];
  /** Versions that a native client may have destroyed: each was current while one ran. */
  readonly touched = new Set<string>(["null"]);

  constructor(scenario: Scenario, broken: AnyRule | undefined) {
    const { programs, isSmall } = scenario;
    this.scenario = scenario;
    this.gateway = { broken, isSmall };
    this.world = beginWorld(scenario);
    this.#hasNative = programs.flat().some(({ kind }) => kind === "native");
    this.#checkLocks();
    this.clients = programs.map((operations) => {
      const client: Client = {
        waiting: [...operations],
        operation: undefined,
        steps: undefined,
        pending: undefined,
        call: undefined,
      };
      this.#begin(client);
      return client;
    });
  }

  /** Number of steps so far. */
  get steps(): number {
    return this.#clock;
  }

  /** Clients that have a step to run. */
  get enabled(): readonly number[] {
    const found: number[] = [];
    for (const [i, { pending }] of this.clients.entries()) if (pending !== undefined) found.push(i);
    return found;
  }

  /** Runs the next step of a client. */
  step(index: number, fault?: Fault): void {
    const client = this.clients[index];
    if (client?.pending === undefined || client.operation === undefined) return;
    const { pending: request, operation } = client;
    const now = ++this.#clock;
    if (now > MAX_STEPS) this.violation ??= "operations do not end";
    client.call ??= this.#call(operation, now);
    const isNative = operation.kind === "native";
    if (isNative) this.#touch();
    let answer: Answer;
    const messages = messagesOf(request);
    if (fault !== undefined && messages.length > 0) {
      this.#noteAmendment(client.call, operation, messages);
      if (fault === "delayed") this.late.push({ messages, start: client.call.start, isNative });
      else this.#publish(messages);
      answer = UNANSWERED;
    } else answer = this.#perform(request, isNative);
    if (isNative) {
      this.#touch();
      this.#locked = lockedVersions(this.world);
    } else this.#checkLocks();
    const { done, value } = client.steps?.next(answer) ?? { done: true, value: undefined };
    if (!done) {
      client.pending = value as Request;
      return;
    }
    client.call.result = value as Call["result"];
    client.call.end = client.call.result?.status === "unknown" ? Infinity : now;
    const { result } = client.call;
    if (result?.status === "stored" && result.amended !== undefined && operation.kind === "put") {
      // It is a put in the older mode and then, a little later, a change.
      const amendment = { kind: "amend", name: operation.name, ...result.amended } as const;
      this.calls.push({ ...client.call, operation: amendment, result: undefined });
    }
    client.call = undefined;
    this.#begin(client);
  }

  /** Ends a client. Its publish may still land. */
  crash(index: number, isSent: boolean): void {
    const client = this.clients[index];
    if (client?.pending === undefined) return;
    const { pending: request, call, operation } = client;
    client.pending = undefined;
    client.call = undefined;
    client.waiting.length = 0;
    if (!isSent || call === undefined) return;
    const isNative = operation?.kind === "native";
    const messages = messagesOf(request);
    if (messages.length > 0) this.late.push({ messages, start: call.start, isNative });
    if (operation !== undefined) this.#noteAmendment(call, operation, messages);
  }

  /** Notes what a put may have amended: it may die before it answers. */
  #noteAmendment(call: Call, operation: Operation, messages: readonly Publish[]): void {
    if (operation.kind !== "put" || operation.mode !== undefined) return;
    const kept = messages.find(({ subject, content }) =>
      content.kind !== "gone" && (subject === "R:null" || subject.endsWith("-kept"))
    );
    if (kept === undefined) return;
    const version = messages.find(({ subject }) => subject === "M")?.content.version;
    const facts = { kind: "amend", name: operation.name, version, kept: kept.content } as const;
    this.calls.push({ ...call, operation: facts });
  }

  /** Lets a late publish land, or loses it. */
  land(index: number, isLost = false): void {
    const [late] = this.late.splice(index, 1);
    this.#clock++;
    if (late === undefined || isLost) return;
    if (late.isNative) this.#touch();
    this.#publish(late.messages);
    if (late.isNative) this.#locked = lockedVersions(this.world);
    else this.#checkLocks();
  }

  /**
   * Removes tombstones that are old enough: no publish that rests on an older read can still land. A system that breaks this
   * rule removes all.
   */
  expire(): void {
    const isHasty = this.gateway.broken === "a tombstone expires before late publishes";
    const starts = [...this.clients.map(({ call }) => call), ...this.late].map((it) =>
      it?.start ?? Infinity
    );
    const limit = isHasty ? Infinity : Math.min(...starts);
    for (const { sequence, content } of [...this.world.subjects.values()]) {
      const isTombstone = content?.kind === "gone" || content?.kind === "deleted";
      if (isTombstone && (this.#written.get(sequence) ?? 0) < limit) this.world.erase(sequence);
    }
  }

  /** Performs all steps of an operation at once. */
  run(operation: Operation): void {
    const steps = start(this.gateway, operation);
    let next = steps.next();
    while (next.done !== true) next = steps.next(this.#perform(next.value, false));
  }

  #touch(): void {
    const { content } = this.world.last("M");
    if (content !== undefined) this.touched.add(content.version);
  }

  #begin(client: Client): void {
    const operation = client.waiting.shift();
    client.operation = operation;
    client.steps = operation === undefined ? undefined : start(this.gateway, operation);
    const next = client.steps?.next();
    client.pending = next === undefined || next.done === true ? undefined : next.value;
  }

  #call(operation: Operation, now: number): Call {
    const call: Call = { operation, start: now, end: Infinity, result: undefined };
    this.calls.push(call);
    return call;
  }

  #publish(messages: readonly Publish[]): Answer {
    const published = this.world.publish(messages);
    for (let i = 0; i < messages.length; i++) {
      this.#written.set(published.sequence - i, this.#clock);
    }
    return published;
  }

  /** Checks that what was locked before the last step is there. */
  #checkLocks(): void {
    const lost = findLost(this.world, this.#locked);
    if (lost !== undefined) this.violation ??= `locked version ${lost} is gone`;
    this.#locked = lockedVersions(this.world);
  }

  #perform(request: Request, isNative: boolean): Answer {
    const { world } = this;
    switch (request.kind) {
      case "publish":
        return this.#publish([request]);
      case "batch":
        return this.#publish(request.messages);
      case "purge": {
        const owner = world.versions().find(({ group }) => group === request.group);
        const isExcused = isNative || this.#hasNative && this.touched.has(owner?.version ?? "");
        if (owner !== undefined && !isExcused) {
          this.violation ??= `the group of version ${owner.version} is purged`;
        }
        world.purge(request.group);
        return true;
      }
      case "groups":
        return this.#oldGroups();
      default:
        return world.answer(request);
    }
  }

  /** Groups whose writers are no longer at work: the sweep asks for an age that no write reaches. */
  #oldGroups(): readonly string[] {
    const young = new Set<string>();
    for (const { call } of this.clients) {
      const { operation } = call ?? {};
      if (operation?.kind === "put" || operation?.kind === "native") young.add(operation.name);
    }
    for (const { messages } of this.late) {
      for (const { content } of messages) young.add(content.group);
    }
    return [...this.world.groups].filter((group) => !young.has(group));
  }
}
