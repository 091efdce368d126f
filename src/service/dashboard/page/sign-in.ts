import { type AccessView, ApiError, ServiceClient } from '../../../client.js';
import { need, setText } from './dom.js';

/** Of this tab only: it is gone with it, and no other page of this machine sees it. */
const STORED_AS = 'framelock-token';

/** Who this page is to the service. */
export interface Identity {
  readonly client: ServiceClient;
  readonly role: AccessView['role'];
}

/** Asks for a token where one is needed, until it is good; once a tab. Rejects if the service cannot be reached. */
export async function signIn(): Promise<Identity> {
  const dialog = need(document, '#sign-in', HTMLDialogElement);
  for (;;) {
    const token = sessionStorage.getItem(STORED_AS) ?? undefined;
    const client = new ServiceClient({
      url: location.origin,
      // Called by its name: browsers want it to be a method of the window.
      fetch: (input, init) => fetch(input, init),
      ...(token === undefined ? {} : { token }),
    });
    try {
      const role = await client.role();
      dialog.close();
      return { client, role };
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'TOKEN_REQUIRED') throw error;
      signOut();
      setText(need(dialog, '.refused', HTMLElement), token === undefined ? '' : 'This token is not known here.');
      sessionStorage.setItem(STORED_AS, await entered(dialog));
    }
  }
}

/** Forgets the token. */
export function signOut(): void {
  sessionStorage.removeItem(STORED_AS);
}

/** What was entered, in the end: without a token there is nothing to see. */
function entered(dialog: HTMLDialogElement): Promise<string> {
  const form = need(dialog, 'form', HTMLFormElement);
  const input = need(dialog, 'input', HTMLInputElement);
  input.value = '';
  if (!dialog.open) dialog.showModal();
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  return new Promise((resolve) => {
    const submitted = (event: SubmitEvent): void => {
      event.preventDefault();
      const token = input.value.trim();
      if (token === '') return;
      form.removeEventListener('submit', submitted);
      resolve(token);
    };
    form.addEventListener('submit', submitted);
  });
}
