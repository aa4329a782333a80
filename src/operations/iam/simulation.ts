/**
 * Actions that simulate policies, and name the condition keys that policies ask for.
 * See https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html and its neighbours
 *
 * Of the statements that match, the one that decided is shown, without its position in the text.
 * @module
 */

import type { Decision } from "../../iam/evaluate.ts";
import { invalidInput } from "../../iam/refusals.ts";
import { contextKeysOf, simulate, type Simulated, type Simulation } from "../../iam/simulation.ts";
import type { XmlValue } from "../../s3/xml.ts";
import type { QueryOperation } from "../query_operation.ts";
import { defineAction } from "./action.ts";
import { listOf } from "./elements.ts";
import { pageOf, type PageRequest, parsePage } from "./pages.ts";
import type { Parameters } from "./parameters.ts";
import { compileList, customCaller, sourceCaller } from "./simulated_caller.ts";

/** Most pairs of an action and a resource in a page, which bounds the time of a request. */
const MAX_PAIRS = 1000;

type Input = {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly page: PageRequest;
};

function parseQuestions(parameters: Parameters): Input {
  const actions = parameters.list("ActionNames");
  if (actions.length === 0) parameters.required("ActionNames");
  for (const action of actions) {
    if (!/^[\w-]{1,64}:[\w*?]{1,128}$/.test(action)) {
      throw invalidInput(`Invalid Input Could not parse the action name: ${action}`);
    }
  }
  const resources = parameters.list("ResourceArns");
  for (const arn of resources) {
    if (arn !== "*" && (!arn.startsWith("arn:") || arn.split(":").length < 6)) {
      throw invalidInput(`Invalid Resource ARN: ${arn}`);
    }
  }
  const { limit, after } = parsePage(parameters);
  const most = Math.max(1, Math.floor(MAX_PAIRS / Math.max(1, resources.length)));
  return { actions, resources, page: { limit: Math.min(limit, most), after } };
}

const simulateCustomPolicy = defineAction({
  name: "SimulateCustomPolicy",
  parse(parameters, caller) {
    if (parameters.list("PolicyInputList").length === 0) parameters.required("PolicyInputList");
    return {
      ...parseQuestions(parameters),
      simulation: customCaller(parameters, caller, parameters.list("ResourceArns")),
    };
  },
  resource: () => "*",
  handle: ({ input }) => results(input, input.simulation),
});

const simulatePrincipalPolicy = defineAction({
  name: "SimulatePrincipalPolicy",
  parse: (parameters) => ({
    ...parseQuestions(parameters),
    source: parameters.arn("PolicySourceArn"),
    simulationIn: sourceCaller(parameters, parameters.list("ResourceArns")),
  }),
  resource: ({ source }) => source,
  handle: ({ input, ...scene }) => results(input, input.simulationIn(scene)),
});

function results({ actions, resources, page }: Input, simulation: Simulation): XmlValue {
  const numbered = actions.map((action, i) => ({ action, position: String(i).padStart(6, "0") }));
  const { items, end } = pageOf(numbered, page, ({ position }) => position);
  return {
    EvaluationResults: listOf(items.map(({ action }) => resultOf(action, resources, simulation))),
    ...end,
  };
}

const STRENGTH = { allowed: 0, implicitDeny: 1, explicitDeny: 2 } as const;

/** Returns the result of one action. The resource that is treated worst decides what is said of all. */
function resultOf(action: string, resources: readonly string[], simulation: Simulation): XmlValue {
  const named = resources.length === 0 ? ["*"] : resources;
  const each = named.map((resource) => ({
    resource,
    ...simulate(simulation, action, resource),
  }));
  const worst = each.reduce((a, b) => STRENGTH[b.verdict] > STRENGTH[a.verdict] ? b : a);
  const isGeneral = resources.every((resource) => resource === "*");
  return {
    EvalActionName: action,
    EvalResourceName: worst.resource,
    EvalDecision: worst.verdict,
    MatchedStatements: statements(worst.statement),
    MissingContextValues: listOf(isGeneral ? worst.missing : []),
    ...boundary(worst),
    ...!isGeneral && {
      ResourceSpecificResults: listOf(each.map((one) => ({
        EvalResourceName: one.resource,
        EvalResourceDecision: one.verdict,
        MatchedStatements: statements(one.statement),
        MissingContextValues: listOf(one.missing),
        ...boundary(one),
      }))),
    },
  };
}

function boundary({ isWithinBoundary }: Simulated): { readonly [name: string]: XmlValue } {
  return isWithinBoundary === undefined ? {} : {
    PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: isWithinBoundary },
  };
}

function statements(statement: Decision["statement"]): XmlValue {
  if (statement === undefined) return listOf([]);
  const { origin } = statement;
  return listOf([{ SourcePolicyId: origin, SourcePolicyType: typeOf(origin) }]);
}

function typeOf(origin: string): string {
  if (origin === "ResourcePolicy") return "resource";
  if (origin.startsWith("arn:aws:iam::aws:")) return "aws-managed";
  if (origin.startsWith("arn:")) return "user-managed";
  const [, kind] = /^inline policy \S+ of (user|group) /.exec(origin) ?? [];
  return kind ?? "none";
}

const getContextKeysForCustomPolicy = defineAction({
  name: "GetContextKeysForCustomPolicy",
  parse(parameters) {
    if (parameters.list("PolicyInputList").length === 0) parameters.required("PolicyInputList");
    return { policies: compileList(parameters, "PolicyInputList") };
  },
  resource: () => "*",
  handle: ({ input: { policies } }) => ({ ContextKeyNames: listOf(contextKeysOf(policies)) }),
});

const getContextKeysForPrincipalPolicy = defineAction({
  name: "GetContextKeysForPrincipalPolicy",
  parse: (parameters) => ({
    source: parameters.arn("PolicySourceArn"),
    simulationIn: sourceCaller(parameters, []),
  }),
  resource: ({ source }) => source,
  handle({ input: { simulationIn }, ...scene }) {
    const { principal: { policies, limits } } = simulationIn(scene);
    return { ContextKeyNames: listOf(contextKeysOf([...policies, ...limits])) };
  },
});

/** The actions that simulate policies. */
export const SIMULATION_ACTIONS: readonly QueryOperation[] = [
  simulateCustomPolicy,
  simulatePrincipalPolicy,
  getContextKeysForCustomPolicy,
  getContextKeysForPrincipalPolicy,
];
