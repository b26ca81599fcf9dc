import { Refusal } from '../../domain/refusal.ts';
import type { OrderKey } from '../../store/order/order-reader.ts';

/** Names the orders after this one in a list. */
export function formatOrderPageToken({ acceptedTime, orderId }: OrderKey): string {
  return Buffer.from(`${acceptedTime}.${orderId}`).toString('base64url');
}

/** @throws Refusal for what no answer has told */
export function parseOrderPageToken(token: string): OrderKey | undefined {
  if (token === '') return undefined;
  const text = Buffer.from(token, 'base64url').toString();
  const [, time, orderId = ''] = /^(\d{1,16})\.([!-~]{1,64})$/u.exec(text) ?? [];
  const acceptedTime = Number(time);
  if (!Number.isSafeInteger(acceptedTime)) {
    throw new Refusal('invalid', 'page_token: expected the next_page_token of an answer', {
      field: 'page_token',
    });
  }
  return { acceptedTime, orderId };
}
