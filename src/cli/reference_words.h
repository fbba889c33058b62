/* Words that a physicist looks for, and how decks and datasets say them. */
#pragma once

/* Words with a blank between them: what else to look for; NULL: nothing is known of `word` (in small
 * letters). */
const char *CospinReferenceSynonyms(const char word[]);

/* A sentence for whoever looks for what there is not; NULL: none. */
const char *CospinReferenceAdvice(const char word[]);
