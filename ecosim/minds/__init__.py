"""How questions are answered: scripted experts, users' own functions, language models; and who answers for whom."""
