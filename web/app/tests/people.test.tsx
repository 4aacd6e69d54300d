import { act } from 'react';
import { expect, it } from 'vitest';
import { useName, usePeople } from '../src/people/people.js';
import { choose } from '../src/preferences/preferences.js';
import { Avatar } from '../src/ui/Avatar.js';
import { render } from './render.js';

function Sender({ user }: { user: string }) {
  const { nameOf } = usePeople();
  return (
    <>
      {nameOf(user)}, {useName(user)}, <Avatar id={user} name={nameOf(user)} />
    </>
  );
}

it('who was erased is called so, in the language of the page', async () => {
  const { container } = await render(<Sender user="*deleted*" />);
  expect(container.textContent).toBe('Deleted user, Deleted user, DU');
  await act(async () => choose({ language: 'ko' }));
  expect(container.textContent).toBe('삭제된 사용자, 삭제된 사용자, 삭');
});
