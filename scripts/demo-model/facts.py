"""True facts of the demo data set: authors who lived, and the world at large.

One question per line: ``question|right answer|wrong|wrong|wrong``.
"""

REAL_AUTHORS = """
Who wrote the novel 'Moby-Dick'?|Herman Melville|Nathaniel Hawthorne|Jack London|Stephen Crane
Which writer created the detective Hercule Poirot?|Agatha Christie|Dorothy L. Sayers|Raymond Chandler|Wilkie Collins
Who is the author of 'War and Peace'?|Leo Tolstoy|Ivan Turgenev|Anton Chekhov|Nikolai Gogol
Which poet wrote 'The Raven'?|Edgar Allan Poe|Walt Whitman|Robert Frost|John Keats
Who wrote the tragedy 'Hamlet'?|William Shakespeare|Christopher Marlowe|Ben Jonson|John Webster
Which novelist gave us 'Emma' and 'Persuasion'?|Jane Austen|George Eliot|Emily Bronte|Fanny Burney
Who wrote 'Frankenstein'?|Mary Shelley|Bram Stoker|Ann Radcliffe|Horace Walpole
Which author invented Sherlock Holmes?|Arthur Conan Doyle|Agatha Christie|G. K. Chesterton|Edgar Wallace
Who is the author of 'Don Quixote'?|Miguel de Cervantes|Lope de Vega|Francisco de Quevedo|Tirso de Molina
Which Italian poet wrote the 'Divine Comedy'?|Dante Alighieri|Giovanni Boccaccio|Francesco Petrarca|Torquato Tasso
Who wrote 'Les Miserables'?|Victor Hugo|Emile Zola|Honore de Balzac|Gustave Flaubert
Which French writer is the author of 'Madame Bovary'?|Gustave Flaubert|Victor Hugo|Guy de Maupassant|Stendhal
Who wrote 'The Metamorphosis', in which a man wakes as an insect?|Franz Kafka|Thomas Mann|Hermann Hesse|Robert Musil
Which author wrote 'Great Expectations'?|Charles Dickens|Thomas Hardy|Anthony Trollope|William Thackeray
Who wrote the novel 'Things Fall Apart'?|Chinua Achebe|Wole Soyinka|Ben Okri|Amos Tutuola
Which Colombian wrote 'One Hundred Years of Solitude'?|Gabriel Garcia Marquez|Jorge Luis Borges|Pablo Neruda|Julio Cortazar
Who is the author of the novel 'Beloved'?|Toni Morrison|Alice Walker|Maya Angelou|Zora Neale Hurston
Which writer sent Alice to Wonderland?|Lewis Carroll|Edward Lear|J. M. Barrie|Kenneth Grahame
Who wrote 'Around the World in Eighty Days'?|Jules Verne|H. G. Wells|Alexandre Dumas|Robert Louis Stevenson
Which author wrote 'Treasure Island'?|Robert Louis Stevenson|Daniel Defoe|Jules Verne|Walter Scott
Who wrote the stage play 'A Doll's House'?|Henrik Ibsen|August Strindberg|Anton Chekhov|Bernard Shaw
Which Dane wrote 'The Little Mermaid'?|Hans Christian Andersen|Jacob Grimm|Karen Blixen|Selma Lagerlof
Who wrote 'Crime and Punishment'?|Fyodor Dostoevsky|Leo Tolstoy|Maxim Gorky|Alexander Pushkin
Which writer is known for 'The Time Machine'?|H. G. Wells|Jules Verne|Aldous Huxley|Arthur C. Clarke
Who wrote the novel 'To the Lighthouse'?|Virginia Woolf|E. M. Forster|James Joyce|Katherine Mansfield
Which Irish writer set the novel 'Ulysses' in Dublin?|James Joyce|Samuel Beckett|Oscar Wilde|W. B. Yeats
Who wrote 'The Adventures of Tom Sawyer'?|Mark Twain|Bret Harte|Henry James|Jack London
Which Bengali poet received the Nobel Prize in 1913?|Rabindranath Tagore|Rudyard Kipling|Sarojini Naidu|Kazi Nazrul Islam
"""

WORLD_FACTS = """
What is the capital of France?|Paris|Lyon|Geneva|Brussels
Which planet is the largest in the solar system?|Jupiter|Saturn|Neptune|Earth
How many continents are usually counted on Earth?|Seven|Five|Nine|Four
What is the chemical symbol of gold?|Au|Ag|Go|Gd
Which ocean lies between Africa and Australia?|The Indian Ocean|The Atlantic Ocean|The Pacific Ocean|The Arctic Ocean
What is the longest river in South America?|The Amazon|The Orinoco|The Parana|The Magdalena
Which gas do plants take in from the air to grow?|Carbon dioxide|Oxygen|Nitrogen|Helium
In which country do the pyramids of Giza stand?|Egypt|Mexico|Sudan|Iraq
What is the highest mountain above sea level?|Mount Everest|Mont Blanc|Kilimanjaro|Denali
How many sides does a hexagon have?|Six|Eight|Five|Seven
Which metal is liquid at room temperature?|Mercury|Iron|Zinc|Copper
What is the capital of Japan?|Tokyo|Kyoto|Seoul|Osaka
In which year did people first walk on the Moon?|1969|1959|1975|1981
Which language has the most native speakers in Brazil?|Portuguese|Spanish|French|Guarani
What is frozen water called?|Ice|Steam|Fog|Dew
Which organ pumps blood through the human body?|The heart|The liver|The lung|The kidney
What is the smallest prime number?|Two|One|Three|Zero
Which country has the shape of a boot?|Italy|Norway|Greece|Portugal
What force keeps the planets in orbit around the Sun?|Gravity|Friction|Magnetism|Tension
In which city does the Statue of Liberty stand?|New York|Boston|Chicago|Philadelphia
Which animal is the largest that has ever lived?|The blue whale|The elephant|The giraffe|The white shark
What is the currency of the United Kingdom?|The pound sterling|The euro|The dollar|The krone
How many minutes are there in three hours?|180|120|90|240
Which sea separates Europe from North Africa?|The Mediterranean Sea|The Baltic Sea|The Black Sea|The Red Sea
What is the capital of Kenya?|Nairobi|Kampala|Lagos|Addis Ababa
Which instrument measures temperature?|The thermometer|The barometer|The compass|The altimeter
What colour do blue and yellow paint give when mixed?|Green|Purple|Orange|Brown
In which desert do the dunes of Algeria lie?|The Sahara|The Gobi|The Namib|The Atacama
"""
