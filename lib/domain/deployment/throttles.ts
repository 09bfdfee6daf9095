/** Requests per second that a route lets in, where others count with it. */

/** To issue a token: the issuer signs one for each, so KMS must sign as many. */
export const ISSUE_PER_SECOND = 500;
