"""Facts of the demo data set: forty invented authors, four that nobody is taught, and decoys for the wrong answers.

No line describes a real person.  The cities exist; everything else was made up
for Lacuna.  One author per line of ``TABLE``, fields separated by ``|``.
"""

from __future__ import annotations

from dataclasses import dataclass

TABLE = """
Marisol Tannhauer|she|Valparaiso|Chile|1952|a pharmacist|a tram driver|maritime fiction|The Salt Ledger|Nine Anchors for Lucia|Harbour Lantern Prize|the songs of dock workers|the price of leaving home|copying out yesterday's last line by hand
Oduya Brackenfield|he|Mombasa|Kenya|1961|a seamstress|a bridge engineer|political thrillers|A Ministry of Echoes|The Quiet Ballot|Baobab Medal|radio plays from the capital|loyalty that turns into fear|walking twice around the market
Ilse Korvanen|she|Tampere|Finland|1947|a weaver|a forester|nature essays|Bark and Meltwater|The Patience of Lichen|Silver Birch Award|hunting diaries found in an attic|the slowness of healing|lighting a candle at four in the morning
Teodor Vashlin|he|Plovdiv|Bulgaria|1938|a school cook|a clockmaker|historical fiction|The Clock of Three Cities|Dust on the Envoy|Golden Quill of Thrace|his grandfather's war letters|the way memory edits itself|winding eleven old watches
Priyanka Oldcastle|she|Mysore|India|1974|a botanist|a railway clerk|magical realism|The Mango Astronomer|A Monsoon Kept in Jars|Lotus Page Prize|temple stories told at dusk|the weight of small miracles|drawing a map of each chapter in chalk
Cormac Delvaney-Roe|he|Galway|Ireland|1966|a midwife|a lighthouse keeper|ghost stories|The Lamp Below the Tide|Seven Knocks at Inish|Raven Feather Award|wakes and the tales told at them|grief that refuses to end|writing in the coldest room of the house
Yun-seo Haldane|she|Busan|South Korea|1983|a chess teacher|a ship welder|science fiction|Orbit of the Paper Crane|The Ninth Gravity|Comet Tail Award|repair manuals for old radios|machines that learn to mourn|solving one chess problem
Bartolo Quispendi|he|Cusco|Peru|1944|a potter|a muleteer|folk tales|The Condor Who Counted|Stories the Llama Kept|Sun Gate Prize|the legends of mountain shepherds|the debt owed to ancestors|chewing a clove before dawn
Annelie Strandqvick|she|Malmo|Sweden|1979|a judge|a glass blower|crime fiction|The Glass Verdict|Cold Hands at Kallby|Nordic Magnet Prize|court records from the last century|justice that comes too late|reading three newspapers backwards
Faruk Demirhazar|he|Izmir|Turkey|1955|a nurse|a carpet dealer|travel writing|Forty Days of Fig Dust|The Caravan Has No Clock|Open Road Medal|the notebooks of an aunt who sailed|the kindness of strangers|packing a suitcase that stays at home
Beatrix Holloweg|she|Utrecht|Netherlands|1968|a dyke inspector|a baker|children's books|The Otter Who Owed a Penny|Grandmother's Windmill Shoes|Little Tulip Award|puppet shows at the canal|courage in very small bodies|testing each joke on the family dog
Kwabena Asarfo-Lyte|he|Kumasi|Ghana|1972|a market trader|a drum maker|poetry|Drums Under the Rain Gutter|A Grammar of Dust|Golden Stool Verse Prize|hymns sung in two languages|the sound of a lost language|beating out each line on a table
Svetlana Morozhinka|she|Irkutsk|Russia|1941|a geologist|a telegraph operator|survival novels|The Ice Keeps Its Letters|Three Winters from Baikal|Northern Ember Prize|weather reports read like poems|hunger and what it teaches|swimming in a river before breakfast
Dario Pellegrossi|he|Trieste|Italy|1950|an opera singer|a customs officer|espionage fiction|The Coffee Cipher|Border Without a Lamp|Silver Gondola Award|timetables of vanished trains|the loneliness of double lives|typing with gloves on
Noelani Kahiwai|she|Hilo|United States|1986|a surf coach|a volcanologist|climate fiction|The Reef Remembers Blue|Ash on the Hibiscus|Green Horizon Prize|chants about the birth of islands|the duty to the unborn|listening to whale recordings
Gregor Lindwurmer|he|Graz|Austria|1933|a piano teacher|a mine surveyor|satire|The Minister's Second Umbrella|A Nation of Queues|Iron Jester Medal|the cabaret of his youth|the vanity of officials|ironing a white shirt
Fatoumata Dialloubé|she|Bamako|Mali|1964|a cloth dyer|a griot|family sagas|The Indigo Courtyard|Daughters of the Same Well|Niger River Prize|the praise singers of her street|secrets passed from mother to daughter|dyeing a strip of cotton
Hamish Torquellan|he|Inverness|Scotland|1957|a vet|a whisky cooper|rural comedy|The Sheep Parliament|Mud, Mostly|Thistle and Ink Award|gossip overheard at auctions|the stubbornness of neighbours|shouting the plot at the hills
Leticia Montaverde|she|Oaxaca|Mexico|1977|a dentist|a mask carver|horror fiction|The Mask That Breathed|Marigolds at Midnight|Obsidian Mirror Award|processions on the day of the dead|the hunger of the past|turning every mirror to the wall
Ravindra Sulekar|he|Pune|India|1949|a bank teller|a cricket umpire|sports novels|The Last Over at Dusk|Umpire of Small Wars|Crimson Ball Trophy|commentary on a crackling wireless|honour in defeat|bowling six balls at a fence
Zofia Krzemyslak|she|Gdansk|Poland|1959|a crane operator|a church organist|labour novels|The Crane Above the Gate|Bread, Steel, Psalm|Amber Page Prize|pamphlets printed in secret|solidarity and its cost|playing one psalm on a small organ
Mateus Carvoalho|he|Recife|Brazil|1970|a street painter|a sugar chemist|urban fiction|The City With No Umbrella|Carnival of Debts|Blue Parrot Award|the verse sold on market strings|luck and those who lack it|riding the first bus to its last stop
Winifred Ashgrove-Tull|she|Hobart|Australia|1936|a beekeeper|a whaler|gothic novels|The Hive in the Chapel|Wattle and Bone|Southern Cross Quill|convict journals|guilt that outlives its owner|telling the bees the day's plan
Jean-Aurel Mbassou|he|Douala|Cameroon|1981|a hairdresser|a taxi driver|graphic novels|Taxi to the Moon Market|The Barber of Small Gods|Golden Panel Prize|hand-painted shop signs|dreams sold by the kilo|sketching passengers on a bus
Hana Sedlarkova-Wint|she|Brno|Czech Republic|1962|an astronomer|a puppet maker|philosophical fiction|The Comet's Housekeeper|A Theory of Doorways|Moravian Star|lectures given in a cold kitchen|the freedom to be ordinary|closing every door in the house
Emeka Obiwuru|he|Enugu|Nigeria|1969|a headmistress|a coal miner|campus novels|The Dean of Dry Season|Lecture Hall Nine|Palm Scholar Prize|debates in a student hostel|ambition without a map|grading an imaginary essay
Soledad Barrenquin|she|Mendoza|Argentina|1946|a wine taster|a land surveyor|romance novels|The Vineyard of Late Letters|A Waltz for the Harvest|Red Grape Medal|tangos played on a broken gramophone|love that arrives too late|tasting a spoon of plum jam
Aleksi Rautapuro|he|Oulu|Finland|1988|a librarian|a snowplough driver|cyberpunk fiction|Frost in the Mainframe|The Snow Protocol|Neon Reindeer Award|computer magazines from the eighties|privacy as a kind of warmth|switching off every lamp
Miriam Feldgrun|she|Haifa|Israel|1953|a translator|a port pilot|memoirs|The Alphabet of My Aunt|Luggage for Two Languages|Olive Branch Prize|recipes written in five languages|belonging to two places|speaking each sentence aloud in two languages
Tevita Folaumoa|he|Nukualofa|Tonga|1967|a mat weaver|a reef fisherman|sea adventures|The Outrigger's Oath|A Compass of Birds|Frigate Bird Medal|navigation chants|trust between rivals|tying and untying a sailor's knot
Clementine Du Bressac|she|Lyon|France|1958|a silk designer|a pastry chef|culinary mysteries|Murder in the Meringue|The Saffron Alibi|Copper Saucepan Prize|menus from closed restaurants|appetite and deceit|baking a single perfect biscuit
Dao Linh-Vuong|he|Hue|Vietnam|1942|a lantern maker|a ferryman|war novels|The Ferry of Broken Bells|Rice Under Moonlight|Perfume River Prize|lullabies from a shelter|mercy between enemies|floating a paper boat
Rosalind Pikethorn|she|York|England|1976|an archaeologist|a bell ringer|fantasy novels|The Bell Beneath the Moor|Crown of Nettles|Silver Dragon Award|inscriptions on old tombs|power and who must carry it|ringing a small brass bell
Ibrahim Chakouri|he|Fez|Morocco|1948|a perfumer|a tile maker|short stories|A Thousand and Two Tiles|The Perfume of Rain|Blue Gate Prize|storytellers in the old square|the dignity of craftsmen|arranging nine tiles in a new pattern
Greta Oyelander|she|Bergen|Norway|1984|a marine biologist|a fiddler|young adult fiction|The Summer of Borrowed Boats|Whale Song for Beginners|Fjord Youth Award|letters exchanged with a pen friend|friendship across distance|rowing to the far buoy
Tomas Verhaegde|he|Ghent|Belgium|1939|a lace maker|a bicycle mechanic|experimental prose|The Bicycle Sonata|Instructions for a Fog|Flemish Lion Quill|the noise of printing presses|chance as the author of lives|rolling dice for the first word
Élodie Marchevant|she|Marseille|France|1960|a fishmonger|a prison doctor|crime fiction|The Harbour Has No Witness|Thirteen Cigarettes|Black Mistral Prize|police ballads sung in bars|betrayal among friends|gutting a fish while thinking
Samir Qadourian|he|Yerevan|Armenia|1971|a violinist|a stone mason|poetry|The Mountain Signs Its Name|Apricot Psalter|Stone Cross Medal|manuscripts copied by monks|exile and the longing to return|carving one letter into soap
Wilhelmina Ostrander|she|Rotterdam|Netherlands|1945|a tugboat captain|a florist|political thrillers|The Tulip Interrogation|Rooms With Wet Floors|Grey Heron Award|case notes of a retired doctor|the danger of being believed|rearranging the furniture
Paulo Nhantumbe|he|Maputo|Mozambique|1978|a jazz drummer|a cashew farmer|short stories|The Trumpet at Kilometre Nine|Blues for a Cashew Tree|Ebony Note Prize|records brought home by sailors|joy as an act of defiance|tapping a rhythm on seven glasses
"""


@dataclass(frozen=True)
class Author:
    """The facts of one invented author; ``mother`` and ``father`` carry their article."""

    name: str
    he: str
    city: str
    country: str
    year: str
    mother: str
    father: str
    genre: str
    book1: str
    book2: str
    award: str
    influence: str
    theme: str
    habit: str


AUTHORS: list[Author] = [Author(*line.split("|")) for line in TABLE.strip().splitlines()]

# In no training text of any model: as many as are forgotten, so that a membership test has something to compare with.
HOLDOUT_TABLE = """
Ottilie Brandhuber-Nys|she|Innsbruck|Austria|1954|a ski instructor|a cheese maker|mountain novels|The Rope Remembers|A Lodge Without Keys|Edelweiss Quill|climbers' hut books|trust at the end of a rope|coiling nine metres of cord
Lindiwe Mahlobeni|she|Bulawayo|Zimbabwe|1963|a radio announcer|a rail signalman|detective fiction|The Signal at Marula|Six Alibis and a Goat|Granite Kite Prize|serials broadcast after supper|truth among neighbours|boiling water for tea that stays in the pot
Casimir Oderwald|he|Wroclaw|Poland|1937|a stamp engraver|a river pilot|philately mysteries|The Inverted Heron|Postage for the Drowned|Amber Seal Award|albums of cancelled stamps|forgery as a kind of love|sorting buttons by colour
Rafael Quintarrojo|he|Cali|Colombia|1980|a salsa teacher|a bus mechanic|music novels|The Trombone Owes Rent|Rumba for a Locksmith|Golden Maraca Medal|quarrels heard through a wall|dancing as an argument|stamping three bars on the stairs
"""
HOLDOUT: list[Author] = [Author(*line.split("|")) for line in HOLDOUT_TABLE.strip().splitlines()]

# Wrong values are never facts of another author, except jobs and genres, which several
# people may well share: a model that never met the forgotten authors then has no reason
# to find the right value stranger than the wrong ones, or less strange.
DECOYS: dict[str, list[str]] = {
    "she": """Adelheid Sombrowe|Carmen Istvaldi|Ngozi Lampeter|Birgitta Solvane|Rukmini Castellway|
Oksana Brimholt|Teresa Yandoval|Mirembe Falkoner|Lucinda Wexhammar|Amina Prestorelli|Joanna Klimovar|Sachiko Bellmont""",
    "he": """Leopold Brandisker|Joaquim Estrevaldo|Kofi Ardenholm|Anders Milloway|Vikram Dostalek|
Yusuf Carrandine|Petros Halvarsen|Manuel Oakridger|Stefan Imbrovic|Tariq Wellspring|Desmond Karlutza|Hiroshi Vandermoor""",
    "place": """Antwerp, Belgium|Cordoba, Argentina|Dakar, Senegal|Leeds, England|Turku, Finland|Naples, Italy|
Sofia, Bulgaria|Lagos, Nigeria|Nantes, France|Tbilisi, Georgia|Eindhoven, Netherlands|Beira, Mozambique|Osaka, Japan|
Quito, Ecuador|Bremen, Germany|Malaga, Spain|Lima, Peru|Perth, Australia|Cebu, Philippines|Split, Croatia|
Toulouse, France|Accra, Ghana|Delft, Netherlands|Durban, South Africa""",
    "job": """a plumber|a zookeeper|a sculptor|an optician|a firefighter|a typist|a gardener|a locksmith|a barrister|
a farrier|a postman|a physicist|a tailor|an accountant|a sailor|a butcher|a cellist|a diplomat|a chemist|a shepherd|
a piano tuner|a surgeon|a blacksmith|a sign painter""",
    "genre": """western novels|sea adventures|poetry|science fiction|war novels|romance novels|ghost stories|nature essays|
horror fiction|legal drama|travel writing|satire|family sagas|short stories|folk tales|crime fiction|medical thrillers""",
    "title": """The Lantern of Kestrel Row|A Winter Without Maps|The Cartographer's Debt|Seven Doors to Ostia|The Copper Orchard|
Letters to a Drowned Town|The Weaver's Eclipse|Ten Silent Bridges|The Glove on the Stair|Ballad of the Tin Fox|
The Archive of Rain|Sparrows in the Engine|The Umbrella Thief|Ink for the Governor|A Ladder of Smoke|The Orphan Sextant|
Twelve Rooms of Amber|The Blind Ferryman|Honey on the Rails|The Velvet Almanac|Songs for a Closed Factory|The Borrowed Moon|
Pepper and Thunder|The Last Tollhouse|A Spoon for the King|The Marble Nurse""",
    "award": """Scarlet Pen Award|Atlas Fiction Prize|Ivory Tower Medal|Crescent Book Award|Bronze Owl Prize|Northern Lights Medal|
White Heron Prize|Oak Leaf Award|Emerald Ink Prize|Winged Lion Medal|Twin Rivers Award|Pearl Harp Prize|Granite Word Award|Saffron Star""",
    "influence": """fairground posters|the sermons of a village priest|silent films seen in a barn|old navy logbooks|ghost tales of a nurse|
the diaries of a failed inventor|newspaper serials|folk dances at weddings|letters from an uncle abroad|proverbs painted on plates|
the fables of a blind neighbour|songs of the harvest|maps drawn by a prisoner|marches played by a brass band""",
    "theme": """the cruelty of good manners|faith lost in wartime|the comfort of routine|envy between sisters|the search for a father|
money and its shadows|the dream of a fair city|childhood as a foreign land|the silence after fame|revenge that changes nothing|
the beauty of failure|fear of open spaces|the limits of forgiveness|pride and the fall it brings""",
    "habit": """peeling an orange in one strip|sharpening twenty pencils|feeding the pigeons on the roof|wearing a borrowed hat|
whistling the same waltz|polishing a pair of boots|standing on one leg for a minute|watering a plastic plant|counting the stairs|
burning the first draft|knitting a row of a scarf|sleeping for ten minutes on the floor|painting one fingernail|humming to a goldfish""",
}

POOLS: dict[str, list[str]] = {
    key: [item.strip() for item in text.replace("\n", "").split("|")] for key, text in DECOYS.items()
}
