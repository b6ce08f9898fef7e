import type { Request } from '../bindings/Request';
import type { Response } from '../bindings/Response';
import type { Transport } from './transport';

/** The agent did not answer within the deadline; whether it did what was asked is not known. */
export class NotHeard extends Error {
  constructor(readonly request: Request['request']) {
    super(`no answer to ${request} within the deadline`);
    this.name = 'NotHeard';
  }
}

type Answered<Kind extends Response['response']> = Extract<Response, { response: Kind }>;

/**
 * Asks for the one kind of response that belongs to `request`.
 *
 * `deadline` is in milliseconds. Rejects with `Refused`, {@link NotHeard}, or what the transport
 * failed with.
 */
export async function ask<Kind extends Response['response']>(
  transport: Transport,
  request: Request,
  expected: Kind,
  deadline: number,
): Promise<Answered<Kind>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotHeard(request.request)), deadline);
  });
  try {
    const response = await Promise.race([transport.ask(request), late]);
    if (!is(response, expected)) {
      throw new Error(`${request.request} was answered with ${response.response}`);
    }
    return response;
  } finally {
    clearTimeout(timer);
  }
}

function is<Kind extends Response['response']>(
  response: Response,
  kind: Kind,
): response is Answered<Kind> {
  return response.response === kind;
}
