/**
 * Conditional requests.
 * See https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
 * @module
 */

/** What a conditional write demands of the object that is there now. ETags are bare; `"*"` is any object. */
export type WritePrecondition = {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: "*";
};
