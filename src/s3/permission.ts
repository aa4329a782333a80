/**
 * The permission to perform an action on a resource.
 * See https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * @module
 */

import type { Target } from "./request.ts";

/** An action as policies name it, such as `s3:GetObject`. */
export type Action = `s3:${string}`;

/** An action on the service, a bucket or an object. */
export type Permission = { readonly action: Action; readonly resource: Target };
