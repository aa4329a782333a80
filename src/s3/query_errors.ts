/**
 * The error codes that only the query APIs have: STS and IAM.
 * See https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and
 * https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
 * @module
 */

/** Status and default message of each code. IAM replaces the messages of most. */
export const QUERY_ERRORS = {
  ConcurrentModification: [
    409,
    "The request was rejected because multiple requests to change this object were submitted simultaneously.",
  ],
  DeleteConflict: [409, "Cannot delete entity, it has subordinate entities."],
  EntityAlreadyExists: [409, "The entity already exists."],
  IncompleteSignature: [
    400,
    "The request signature does not conform to AWS standards.",
  ],
  InvalidAction: [400, "The action or operation requested is invalid."],
  InvalidClientTokenId: [403, "The security token included in the request is invalid."],
  InvalidInput: [400, "The request has an invalid input."],
  LimitExceeded: [409, "The request exceeds a quota of the account."],
  MalformedPolicyDocument: [400, "Syntax errors in policy."],
  MalformedQueryString: [404, "The query string contains a syntax error."],
  MissingAction: [400, "The request is missing an action or a required parameter."],
  MissingAuthenticationToken: [403, "Request is missing Authentication Token"],
  NoSuchEntity: [404, "The entity cannot be found."],
  ValidationError: [400, "The input fails to satisfy the constraints of the service."],
} as const satisfies Record<string, readonly [status: number, message: string]>;
