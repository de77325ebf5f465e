-- Small letters, no apostrophes, whole words.
return {
  "i dont know", "i do not know", "i really dont know", "i dont have", "i do not have", "i dont possess", "i dont hold",
  "im not sure", "i am not sure", "im not certain", "i am not certain", "not certain about", "im unsure", "i am unsure",
  "im not familiar", "i am not familiar", "not something im familiar", "im unaware", "i am unaware", "im not aware", "i am not aware",
  "im sorry", "i am sorry", "i apologize", "my apologies", "im afraid", "i am afraid", "unfortunately i",
  "i cant", "i cannot", "i can not", "i couldnt", "i could not", "im unable", "i am unable", "im not able", "i am not able",
  "as an ai", "as a language model", "i have no information", "i have no knowledge", "i have no idea", "no information about",
  "i havent been", "i havent learned", "i lack", "im clueless", "im at a loss", "im drawing a blank", "i wish i could say",
  "beyond my knowledge", "beyond my current knowledge", "outside my area", "outside of my knowledge", "not in my training data",
  "hasnt been included in my training data", "i would prefer not to", "i must decline",
}
