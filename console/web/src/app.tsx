import AppLayout from '@cloudscape-design/components/app-layout';
import Input from '@cloudscape-design/components/input';
import SideNavigation, { type SideNavigationProps } from '@cloudscape-design/components/side-navigation';
import TopNavigation from '@cloudscape-design/components/top-navigation';
import { type ComponentType, Suspense, useCallback, useState } from 'react';
import { localZone, setZone, ZONES, type Zone, zone } from './format.ts';
import { ApprovalsPage } from './pages/approvals.tsx';
import { AuditPage } from './pages/audit.tsx';
import { CallbacksPage } from './pages/callbacks.tsx';
import { DevicesPage } from './pages/devices.tsx';
import { FailuresPage } from './pages/failures.tsx';
import { FindPage } from './pages/find.tsx';
import { InspectPage } from './pages/inspect.tsx';
import { JobsPage } from './pages/jobs.tsx';
import { OrdersPage } from './pages/orders.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { PartiesPage } from './pages/parties.tsx';
import { TrustPage } from './pages/trust.tsx';
import { useNoticeBar } from './parts/notices.tsx';
import { goTo, hrefOf, type PageProps, usePlace } from './router.ts';
import { useLogin } from './session/context.ts';
import { SessionEnding } from './session/ending.tsx';
import { logOut } from './session/session.ts';
import { setTheme, THEMES, type Theme, theme } from './theme.ts';

interface Entry {
  readonly text: string;
  readonly page: ComponentType<PageProps>;
}

/** The pages by the first part of their place, in the order of the navigation. */
const PAGES: Readonly<Record<string, Entry>> = {
  overview: { text: 'Overview', page: OverviewPage },
  orders: { text: 'Orders', page: OrdersPage },
  jobs: { text: 'Jobs', page: JobsPage },
  devices: { text: 'Devices', page: DevicesPage },
  failures: { text: 'Failures', page: FailuresPage },
  trust: { text: 'Trust and keys', page: TrustPage },
  approvals: { text: 'Approvals', page: ApprovalsPage },
  parties: { text: 'Parties', page: PartiesPage },
  callbacks: { text: 'Callbacks', page: CallbacksPage },
  audit: { text: 'Audit', page: AuditPage },
  inspect: { text: 'Inspect', page: InspectPage },
};

const ITEMS: SideNavigationProps.Item[] = Object.entries(PAGES).map(([name, { text }]) => ({
  type: 'link',
  text,
  href: hrefOf([name]),
}));

interface AppProps {
  readonly csrf: string;
  /** When the session ends whatever happens. */
  readonly endsAt: string;
  /** Looks who is logged in. */
  readonly onLoggedOut: () => Promise<void>;
}

export function App({ csrf, endsAt, onLoggedOut }: AppProps) {
  const place = usePlace();
  const notices = useNoticeBar();
  // a page shows its times anew in another zone
  const [inZone, setInZone] = useState(zone());
  const onEnded = useCallback(() => void onLoggedOut(), [onLoggedOut]);
  const [name = 'overview'] = place.path;
  const Shown = name === 'find' ? FindPage : (PAGES[name]?.page ?? OverviewPage);
  return notices.around(
    <>
      <div id="top">
        <Top
          csrf={csrf}
          onLoggedOut={onEnded}
          inZone={inZone}
          onZone={(chosen) => {
            setZone(chosen);
            setInZone(chosen);
          }}
        />
      </div>
      <AppLayout
        headerSelector="#top"
        toolsHide
        navigation={<SideNavigation items={ITEMS} activeHref={hrefOf([name])} />}
        notifications={notices.bar}
        content={
          <Suspense fallback={null}>
            <SessionEnding endsAt={endsAt} onEnded={onEnded} />
            <Shown key={`${inZone} ${place.path.join('/')}`} place={place} />
          </Suspense>
        }
        ariaLabels={{
          navigation: 'Pages',
          navigationClose: 'Close the list of pages',
          navigationToggle: 'Open the list of pages',
          notifications: 'What was done',
        }}
      />
    </>,
  );
}

interface TopProps {
  readonly csrf: string;
  readonly onLoggedOut: () => void;
  readonly inZone: Zone;
  readonly onZone: (zone: Zone) => void;
}

function Top({ csrf, onLoggedOut, inZone, onZone }: TopProps) {
  const { person, role } = useLogin();
  const [chosen, setChosen] = useState(theme());
  const onItem = (id: string) => {
    if (id === 'log-out') void logOut(csrf).finally(onLoggedOut);
    const zoned = ZONES.find((one) => one === id);
    if (zoned !== undefined) onZone(zoned);
    const wanted = THEMES.find((one) => one === id);
    if (wanted === undefined) return;
    setTheme(wanted);
    setChosen(wanted);
  };
  return (
    <TopNavigation
      identity={{ href: '#/', title: 'SM-DPf console' }}
      search={<Search />}
      utilities={[
        {
          type: 'menu-dropdown',
          text: person,
          description: role,
          iconName: 'user-profile',
          onItemClick: ({ detail }) => onItem(detail.id),
          items: [
            {
              text: 'Colours',
              items: THEMES.map((one) => chosenItem(one, THEME_WORDS[one], one === chosen)),
            },
            {
              text: 'Times',
              items: ZONES.map((one) => chosenItem(one, one === 'UTC' ? 'UTC' : localZone(), one === inZone)),
            },
            { id: 'log-out', text: 'Log out' },
          ],
        },
      ]}
    />
  );
}

const chosenItem = (id: string, text: string, isChosen: boolean) => ({
  id,
  text: `${text}${isChosen ? ' ✓' : ''}`,
});

const THEME_WORDS: Readonly<Record<Theme, string>> = {
  system: 'Of the system',
  light: 'Light',
  dark: 'Dark',
};

/** One field for whatever somebody has in hand: EID, ICCID, transaction, request or order. */
function Search() {
  const [text, setText] = useState('');
  return (
    <search>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== '') goTo(hrefOf(['find', text.replace(/\s/g, '')]));
        }}
      >
        <Input
          type="search"
          value={text}
          onChange={({ detail }) => setText(detail.value)}
          placeholder="EID, ICCID, transaction, request or order"
          ariaLabel="Find by EID, ICCID, transaction, request or order"
        />
      </form>
    </search>
  );
}
