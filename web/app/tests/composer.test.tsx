import { ChatError } from '@allibe/client';
import { createRef } from 'react';
import { describe, expect, it } from 'vitest';
import { Composer } from '../src/room/Composer.js';
import { key, named, press, render, type } from './render.js';

let lastRoom = 0;

async function composer() {
  lastRoom += 1;
  const sent: string[] = [];
  const given = { refusal: null as Error | null, typed: 0 };
  const onType = () => {
    given.typed += 1;
  };
  const onSend = (content: string) => {
    if (given.refusal) throw given.refusal;
    sent.push(content);
  };
  const ui = (
    <Composer
      roomId={`r${lastRoom}`}
      roomName="Team"
      field={createRef()}
      onSend={onSend}
      onType={onType}
    />
  );
  const { container } = await render(ui);
  return { sent, given, container, field: named('Message to Team') as HTMLTextAreaElement };
}

describe('Composer', () => {
  it('sends on Enter, and is empty then', async () => {
    const { sent, field } = await composer();
    await type(field, 'Hello\n');
    expect(await key(field, { key: 'Enter' })).toBe(true);
    expect(sent).toEqual(['Hello']);
    expect(field.value).toBe('');
  });

  it('tells that one types, and of blanks or an emptied field nothing', async () => {
    const { given, field } = await composer();
    for (const text of ['  ', 'H', 'He', '']) await type(field, text);
    expect(given.typed).toBe(2);
  });

  it('leaves Enter with Shift to the field', async () => {
    const { sent, field } = await composer();
    await type(field, 'Hello');
    expect(await key(field, { key: 'Enter', shiftKey: true })).toBe(false);
    expect(sent).toEqual([]);
  });

  it('does not send while a syllable is composed', async () => {
    const { sent, field } = await composer();
    await type(field, '안녕하세');
    expect(await key(field, { key: 'Enter', isComposing: true })).toBe(false);
    // Safari: the composing is over already, the key code tells.
    expect(await key(field, { key: 'Enter', keyCode: 229 })).toBe(false);
    expect(sent).toEqual([]);
    await key(field, { key: 'Enter' });
    expect(sent).toEqual(['안녕하세']);
  });

  it('sends nothing of blanks, and nothing that is too long', async () => {
    const { sent, field, container } = await composer();
    await type(field, '  \n ');
    await key(field, { key: 'Enter' });
    await type(field, '가'.repeat(2731));
    await key(field, { key: 'Enter' });
    expect(sent).toEqual([]);
    expect(container.textContent).toContain('1 bytes too long');
    expect((named('Send') as HTMLButtonElement).disabled).toBe(true);
  });

  it('keeps the text of what was refused, and says why', async () => {
    const { given, field, container } = await composer();
    given.refusal = new ChatError('outbox_full', '', true);
    await type(field, 'Hello');
    await press(named('Send'));
    expect(field.value).toBe('Hello');
    expect(container.textContent).toContain('Too many messages are waiting');
  });
});
