/**
 * The demo's tool registry: everyday tools of an office, a chat, a bank, a travel agency and the web, under the names by
 * which recorded agents call them, so that replaying a recording meets tools that are known.
 */
export interface DemoTool {
  /** Canonical id, `server/name`. */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly description: string;
  readonly inputSchema: object;
  readonly annotations: { readonly readOnlyHint: boolean; readonly destructiveHint: boolean; readonly openWorldHint: boolean };
}

/** What calling a tool does: reads; changes what can be changed back; deletes, spends or reaches people for good. */
type Effect = 'reads' | 'writes' | 'destroys';

type Kind = 'text' | 'texts' | 'number' | 'flag';

const kinds: Readonly<Record<Kind, object>> = {
  text: { type: 'string' },
  texts: { type: 'array', items: { type: 'string' } },
  number: { type: 'number' },
  flag: { type: 'boolean' },
};

/** Name, effect, description, and the arguments; an argument whose name ends in `?` may be left out. */
type Row = readonly [name: string, effect: Effect, description: string, args: Readonly<Record<string, Kind>>];

const email: Row[] = [
  [
    'send_email',
    'writes',
    'Sends an e-mail.',
    { recipients: 'texts', subject: 'text', body: 'text', 'attachments?': 'texts', 'cc?': 'texts', 'bcc?': 'texts' },
  ],
  ['delete_email', 'destroys', 'Deletes an e-mail for good.', { email_id: 'text' }],
  ['get_unread_emails', 'reads', 'Lists unread e-mails.', {}],
  ['get_sent_emails', 'reads', 'Lists sent e-mails.', {}],
  ['get_received_emails', 'reads', 'Lists received e-mails.', {}],
  ['get_draft_emails', 'reads', 'Lists drafts of e-mails.', {}],
  ['search_emails', 'reads', 'Finds e-mails by words and by sender.', { query: 'text', 'sender?': 'text' }],
  ['search_contacts_by_name', 'reads', 'Finds contacts by name.', { query: 'text' }],
  ['search_contacts_by_email', 'reads', 'Finds contacts by address.', { query: 'text' }],
];

const calendar: Row[] = [
  ['get_current_day', 'reads', 'Tells the date.', {}],
  ['get_day_calendar_events', 'reads', 'Lists the appointments of a day.', { day: 'text' }],
  ['search_calendar_events', 'reads', 'Finds appointments by words.', { query: 'text', 'date?': 'text' }],
  [
    'create_calendar_event',
    'writes',
    'Makes an appointment and invites its participants.',
    { title: 'text', start_time: 'text', end_time: 'text', 'description?': 'text', 'participants?': 'texts', 'location?': 'text' },
  ],
  ['reschedule_calendar_event', 'writes', 'Moves an appointment.', { event_id: 'text', new_start_time: 'text', 'new_end_time?': 'text' }],
  ['add_calendar_event_participants', 'writes', 'Invites more people to an appointment.', { event_id: 'text', participants: 'texts' }],
  ['cancel_calendar_event', 'destroys', 'Cancels an appointment and tells its participants.', { event_id: 'text' }],
];

const files: Row[] = [
  ['list_files', 'reads', 'Lists the files of the drive.', {}],
  ['search_files', 'reads', 'Finds files by their content.', { query: 'text' }],
  ['search_files_by_filename', 'reads', 'Finds files by name.', { filename: 'text' }],
  ['get_file_by_id', 'reads', 'Reads a file of the drive.', { file_id: 'text' }],
  ['read_file', 'reads', 'Reads a file at a path.', { file_path: 'text' }],
  ['create_file', 'writes', 'Creates a file.', { filename: 'text', content: 'text' }],
  ['append_to_file', 'writes', 'Adds text to the end of a file.', { file_id: 'text', content: 'text' }],
  ['share_file', 'writes', 'Gives somebody access to a file.', { file_id: 'text', email: 'text', permission: 'text' }],
  ['delete_file', 'destroys', 'Deletes a file for good.', { file_id: 'text' }],
];

const chat: Row[] = [
  ['get_channels', 'reads', 'Lists the channels.', {}],
  ['read_channel_messages', 'reads', 'Reads the messages of a channel.', { channel: 'text' }],
  ['read_inbox', 'reads', 'Reads the direct messages of a user.', { user: 'text' }],
  ['get_users_in_channel', 'reads', 'Lists the members of a channel.', { channel: 'text' }],
  ['send_direct_message', 'writes', 'Sends a direct message.', { recipient: 'text', body: 'text' }],
  ['send_channel_message', 'writes', 'Posts a message to a channel.', { channel: 'text', body: 'text' }],
  ['add_user_to_channel', 'writes', 'Adds a user to a channel.', { user: 'text', channel: 'text' }],
  ['invite_user_to_slack', 'writes', 'Invites a person to the workspace.', { user: 'text', user_email: 'text' }],
  ['remove_user_from_slack', 'destroys', 'Removes a user from the workspace.', { user: 'text' }],
];

const web: Row[] = [
  ['get_webpage', 'reads', 'Fetches a web page.', { url: 'text' }],
  ['post_webpage', 'writes', 'Publishes a web page.', { url: 'text', content: 'text' }],
];

const bank: Row[] = [
  ['get_balance', 'reads', 'Tells the balance of the account.', {}],
  ['get_iban', 'reads', 'Tells the number of the account.', {}],
  ['get_user_info', 'reads', "Reads the account holder's details.", {}],
  ['get_most_recent_transactions', 'reads', 'Lists the latest payments.', { 'n?': 'number' }],
  ['get_scheduled_transactions', 'reads', 'Lists the standing orders.', {}],
  ['send_money', 'destroys', 'Pays somebody.', { recipient: 'text', amount: 'number', subject: 'text', date: 'text' }],
  [
    'schedule_transaction',
    'destroys',
    'Sets up a standing order.',
    { recipient: 'text', amount: 'number', subject: 'text', date: 'text', 'recurring?': 'flag' },
  ],
  [
    'update_scheduled_transaction',
    'destroys',
    'Changes a standing order.',
    { id: 'number', 'recipient?': 'text', 'amount?': 'number', 'subject?': 'text', 'date?': 'text', 'recurring?': 'flag' },
  ],
  ['update_password', 'destroys', "Changes the account's password.", { password: 'text' }],
  [
    'update_user_info',
    'writes',
    "Changes the account holder's details.",
    { 'first_name?': 'text', 'last_name?': 'text', 'street?': 'text', 'city?': 'text' },
  ],
];

const travel: Row[] = [
  ['get_user_information', 'reads', "Reads the traveller's details.", {}],
  ['get_flight_information', 'reads', 'Lists flights between two cities.', { departure_city: 'text', arrival_city: 'text' }],
  ['get_all_hotels_in_city', 'reads', 'Lists the hotels of a city.', { city: 'text' }],
  ['get_hotels_prices', 'reads', 'Tells what hotels cost.', { hotel_names: 'texts' }],
  ['get_hotels_address', 'reads', 'Tells where a hotel is.', { hotel_name: 'text' }],
  ['get_rating_reviews_for_hotels', 'reads', 'Reads the reviews of hotels.', { hotel_names: 'texts' }],
  ['get_all_restaurants_in_city', 'reads', 'Lists the restaurants of a city.', { city: 'text' }],
  ['get_cuisine_type_for_restaurants', 'reads', 'Tells what restaurants cook.', { restaurant_names: 'texts' }],
  ['get_price_for_restaurants', 'reads', 'Tells what restaurants cost.', { restaurant_names: 'texts' }],
  ['get_restaurants_address', 'reads', 'Tells where restaurants are.', { restaurant_names: 'texts' }],
  ['get_rating_reviews_for_restaurants', 'reads', 'Reads the reviews of restaurants.', { restaurant_names: 'texts' }],
  ['get_dietary_restrictions_for_all_restaurants', 'reads', 'Tells which diets restaurants serve.', { restaurant_names: 'texts' }],
  ['check_restaurant_opening_hours', 'reads', 'Tells when restaurants are open.', { restaurant_names: 'texts' }],
  ['get_all_car_rental_companies_in_city', 'reads', 'Lists the car rentals of a city.', { city: 'text' }],
  ['get_car_types_available', 'reads', 'Tells which cars rentals have.', { company_name: 'texts' }],
  ['get_car_fuel_options', 'reads', 'Tells which fuels the cars of rentals take.', { company_name: 'texts' }],
  ['get_car_price_per_day', 'reads', 'Tells what cars cost a day.', { company_name: 'texts' }],
  ['get_rating_reviews_for_car_rental', 'reads', 'Reads the reviews of car rentals.', { company_name: 'texts' }],
  ['reserve_hotel', 'destroys', 'Books a hotel, which costs a fee to cancel.', { hotel: 'text', start_day: 'text', end_day: 'text' }],
  ['reserve_restaurant', 'writes', 'Books a table.', { restaurant: 'text', start_time: 'text' }],
  [
    'reserve_car_rental',
    'destroys',
    'Books a car, which costs a fee to cancel.',
    { company: 'text', start_time: 'text', 'end_time?': 'text' },
  ],
];

export const tools: readonly DemoTool[] = [
  ...toolsOf('io.example.email', email),
  ...toolsOf('io.example.calendar', calendar),
  ...toolsOf('io.example.files', files),
  ...toolsOf('io.example.chat', chat),
  ...toolsOf('io.example.web', web),
  ...toolsOf('io.example.bank', bank),
  ...toolsOf('io.example.travel', travel),
];

function toolsOf(server: string, rows: readonly Row[]): DemoTool[] {
  return rows.map(([name, effect, description, args]) => ({
    id: `${server}/${name}`,
    aliases: [name],
    description,
    inputSchema: schemaOf(args),
    annotations: { readOnlyHint: effect === 'reads', destructiveHint: effect === 'destroys', openWorldHint: server === 'io.example.web' },
  }));
}

function schemaOf(args: Readonly<Record<string, Kind>>): object {
  const named = Object.entries(args).map(([name, kind]) => ({ name: name.replace(/\?$/, ''), isRequired: !name.endsWith('?'), kind }));
  return {
    type: 'object',
    properties: Object.fromEntries(named.map(({ name, kind }) => [name, kinds[kind]])),
    required: named.filter(({ isRequired }) => isRequired).map(({ name }) => name),
    additionalProperties: false,
  };
}
