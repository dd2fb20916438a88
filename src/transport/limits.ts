/** The largest message between members: a batch of entries may end with a request of the largest size. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** What may be on its way to one peer at once. Beyond it a call counts as lost at once, and consensus asks again later. */
export const MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024;
